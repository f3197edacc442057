import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, member } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { Nothing } from '../../../lib/schema.ts'
import { route } from '../../../plugins/routes.ts'
import { organizationErrors } from '../errors.ts'
import { listMembers } from '../queries/members.ts'
import { Member, MemberList, MembersQuery, TransferOwnership, UpdateMember } from '../schemas/members.ts'
import { leaveOrganization, removeMember, transferOwnership, updateMember } from '../service/members.ts'

export const memberRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'GET',
    url: '/organizations/:id/members',
    config: { access: member('viewer', 'organization', 'members:read') },
    schema: {
      operationId: 'listMembers',
      summary: 'The members of an organization',
      querystring: MembersQuery,
      response: { 200: MemberList },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listMembers(app.database, { organizationId: params.id }, {}, query)),
  })

  route(app, {
    method: 'PATCH',
    url: '/organizations/:id/members/:userId',
    config: { access: member('admin', 'organization') },
    schema: {
      operationId: 'updateMember',
      summary: 'Change the role of a member',
      body: UpdateMember,
      response: { 200: Member, ...problems(organizationErrors.owner_required, organizationErrors.last_owner) },
    },
    handler: ({ caller, params, body, ifMatch }) =>
      updateMember(caller, { organizationId: params.id, userId: params.userId }, body.role, ifMatch),
  })

  route(app, {
    method: 'DELETE',
    url: '/organizations/:id/members/:userId',
    config: { access: member('admin', 'organization') },
    schema: {
      operationId: 'removeMember',
      summary: 'Remove a member',
      response: { 204: Nothing, ...problems(organizationErrors.owner_required, organizationErrors.last_owner) },
    },
    handler: async ({ caller, params, ifMatch }) =>
      void (await removeMember(caller, { organizationId: params.id, userId: params.userId }, ifMatch)),
  })

  route(app, {
    method: 'POST',
    url: '/organizations/:id/leave',
    config: { access: member('viewer', 'organization'), affects: ['members'] },
    schema: {
      operationId: 'leaveOrganization',
      summary: 'Leave an organization; its last owner stays',
      response: { 204: Nothing, ...problems(412, organizationErrors.last_owner) },
    },
    handler: async ({ caller, actor, params, ifMatch }) =>
      void (await leaveOrganization(caller, { organizationId: params.id, userId: asUser(actor).id }, ifMatch)),
  })

  route(app, {
    method: 'POST',
    url: '/organizations/:id/transfer-ownership',
    config: { access: member('owner', 'organization'), affects: ['members'] },
    schema: {
      operationId: 'transferOwnership',
      summary: 'Make another member owner; the caller becomes an admin',
      body: TransferOwnership,
      response: { 200: Member, ...problems(organizationErrors.owner_required) },
    },
    handler: ({ caller, params, body, ifMatch }) => transferOwnership(caller, params.id, body, ifMatch),
  })
}
