import type { FastifyInstance } from 'fastify'
import { memberships } from '../organizations/queries/access.ts'
import { tenantTable } from '../organizations/queries/tenant-tables.ts'
import { projectRoutes } from './routes.ts'
import { projects as table } from './tables.ts'

export async function projects(app: FastifyInstance) {
  app.tenancy.define('project', memberships(app.database, table, 'organization_id'))
  app.tenancy.own(tenantTable(table))
  await app.register(projectRoutes)
}
