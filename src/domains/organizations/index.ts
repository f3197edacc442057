import type { FastifyInstance } from 'fastify'
import type { Config } from '../../config.ts'
import type { Domain } from '../../plugins/domains.ts'
import { ids, insertDemoOrganization } from './demo.ts'
import { organizationGraph } from './graphql.ts'
import { registerOrganizationJobs } from './jobs.ts'
import { acceptanceRoutes } from './routes/acceptance.ts'
import { deletionRoutes } from './routes/deletions.ts'
import { invitationRoutes } from './routes/invitations.ts'
import { memberRoutes } from './routes/members.ts'
import { organizationRoutes } from './routes/organizations.ts'
import { pageRoutes } from './routes/pages.ts'
import { keepLastOwner, leaveAll } from './service/members.ts'
import { registerTenancy } from './service/tenancy.ts'
import { invitations, members } from './tables.ts'

async function register(app: FastifyInstance, config: Config) {
  registerTenancy(app)
  app.accounts.beforeDeletion(keepLastOwner)
  app.accounts.beforeErasure(leaveAll)
  for (const routes of [organizationRoutes, deletionRoutes, memberRoutes, invitationRoutes, acceptanceRoutes])
    await app.register(routes)
  await app.register(pageRoutes, config)
  registerOrganizationJobs(app, config)
}

export const organizations: Domain = {
  name: 'organizations',
  tag: { name: 'organizations', description: 'Tenants: their members, roles and invitations.' },
  scopes: { 'organization:read': 'Read the organization itself.', 'members:read': 'Read its members.' },
  tenantTables: [
    { table: members, grantsAccess: true },
    { table: invitations, grantsAccess: true },
  ],
  demo: { ids, insert: insertDemoOrganization },
  graph: organizationGraph,
  register,
}
