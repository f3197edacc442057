import type { FastifyInstance } from 'fastify'
import { memberships } from '../organizations/queries/access.ts'
import { tenantTable } from '../organizations/queries/tenant-tables.ts'
import { commentRoutes } from './routes.ts'
import { comments as table } from './tables.ts'

export async function comments(app: FastifyInstance) {
  app.tenancy.define('comment', memberships(app.database, table, 'organization_id'))
  app.tenancy.own(tenantTable(table))
  await app.register(commentRoutes)
}
