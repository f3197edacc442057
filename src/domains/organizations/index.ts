import type { FastifyInstance } from 'fastify'
import { standings } from './queries/access.ts'
import { memberRoutes } from './routes/members.ts'
import { organizationRoutes } from './routes/organizations.ts'
import { organizations as table } from './tables.ts'

export async function organizations(app: FastifyInstance) {
  app.tenancy.define('organization', standings(app.database, table, 'id'))
  await app.register(organizationRoutes)
  await app.register(memberRoutes)
}
