import type { FastifyInstance } from 'fastify'
import { registerOrganizationJobs } from './jobs.ts'
import { standings } from './queries/access.ts'
import { belongings } from './queries/belongings.ts'
import { deletionRoutes } from './routes/deletions.ts'
import { memberRoutes } from './routes/members.ts'
import { organizationRoutes } from './routes/organizations.ts'
import { keepLastOwner } from './service/members.ts'
import { invitations, members, organizations as table } from './tables.ts'

export async function organizations(app: FastifyInstance) {
  app.tenancy.define('organization', standings(app.database, table, 'id'))
  app.tenancy.own(belongings(members, { letIn: true }))
  app.tenancy.own(belongings(invitations, { letIn: true }))
  app.accounts.beforeDeletion(keepLastOwner)
  await app.register(organizationRoutes)
  await app.register(deletionRoutes)
  await app.register(memberRoutes)
  registerOrganizationJobs(app)
}
