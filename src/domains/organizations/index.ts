import type { FastifyInstance } from 'fastify'
import { standings } from './queries/access.ts'
import { memberRoutes } from './routes/members.ts'
import { organizationRoutes } from './routes/organizations.ts'
import { keepLastOwner } from './service/members.ts'
import { organizations as table } from './tables.ts'

export async function organizations(app: FastifyInstance) {
  app.tenancy.define('organization', standings(app.database, table, 'id'))
  app.accounts.beforeDeletion(keepLastOwner)
  await app.register(organizationRoutes)
  await app.register(memberRoutes)
}
