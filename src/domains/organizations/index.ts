import type { FastifyInstance } from 'fastify'
import { standings } from './queries/access.ts'
import { organizationRoutes } from './routes.ts'
import { organizations as table } from './tables.ts'

export async function organizations(app: FastifyInstance) {
  app.tenancy.define('organization', standings(app.database, table, 'id'))
  await app.register(organizationRoutes)
}
