import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config.ts'
import { registerOrganizationJobs } from './jobs.ts'
import { memberships } from './queries/access.ts'
import { tenantTable } from './queries/tenant-tables.ts'
import { acceptanceRoutes } from './routes/acceptance.ts'
import { deletionRoutes } from './routes/deletions.ts'
import { invitationRoutes } from './routes/invitations.ts'
import { memberRoutes } from './routes/members.ts'
import { organizationRoutes } from './routes/organizations.ts'
import { keepLastOwner, leaveAll } from './service/members.ts'
import { invitations, members, organizations as table } from './tables.ts'

export async function organizations(app: FastifyInstance, config: Config) {
  app.tenancy.define('organization', memberships(app.database, table, 'id'))
  app.tenancy.own(tenantTable(members, { grantsAccess: true }))
  app.tenancy.own(tenantTable(invitations, { grantsAccess: true }))
  app.accounts.beforeDeletion(keepLastOwner)
  app.accounts.beforeErasure(leaveAll)
  await app.register(organizationRoutes)
  await app.register(deletionRoutes)
  await app.register(memberRoutes)
  await app.register(invitationRoutes)
  await app.register(acceptanceRoutes)
  registerOrganizationJobs(app, config)
}
