import type { FastifyInstance } from 'fastify'
import { memberships } from '../organizations/queries/access.ts'
import { tenantTable } from '../organizations/queries/tenant-tables.ts'
import { taskRoutes } from './routes.ts'
import { tasks as table } from './tables.ts'

export async function tasks(app: FastifyInstance) {
  app.tenancy.define('task', memberships(app.database, table, 'organization_id'))
  app.tenancy.own(tenantTable(table))
  await app.register(taskRoutes)
}
