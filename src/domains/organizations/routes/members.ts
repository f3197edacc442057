import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, member } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { IdParams, Nothing } from '../../../lib/schema.ts'
import { listMembers } from '../queries/members.ts'
import { Member, MemberList, MemberParams, MembersQuery, TransferOwnership, UpdateMember } from '../schemas/members.ts'
import { leaveOrganization, removeMember, transferOwnership, updateMember } from '../service/members.ts'

export const memberRoutes: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/organizations/:id/members',
    config: { access: member('viewer', 'organization', 'members:read') },
    schema: {
      operationId: 'listMembers',
      summary: 'The members of an organization',
      params: IdParams,
      querystring: MembersQuery,
      response: { 200: MemberList, ...problems(400, 404, 422) },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listMembers(app.database, { organizationId: params.id }, {}, query)),
  })

  app.route({
    method: 'PATCH',
    url: '/organizations/:id/members/:userId',
    config: { access: member('admin', 'organization') },
    schema: {
      operationId: 'updateMember',
      summary: 'Change the role of a member',
      params: MemberParams,
      body: UpdateMember,
      response: { 200: Member, ...problems(404, 409, 412, 422) },
    },
    handler: ({ caller, params, body, ifMatch }) =>
      updateMember(caller, { organizationId: params.id, userId: params.userId }, body.role, ifMatch),
  })

  app.route({
    method: 'DELETE',
    url: '/organizations/:id/members/:userId',
    config: { access: member('admin', 'organization') },
    schema: {
      operationId: 'removeMember',
      summary: 'Remove a member',
      params: MemberParams,
      response: { 204: Nothing, ...problems(404, 409, 412) },
    },
    async handler({ caller, params, ifMatch }, reply) {
      await removeMember(caller, { organizationId: params.id, userId: params.userId }, ifMatch)
      reply.code(204)
      return null
    },
  })

  app.route({
    method: 'POST',
    url: '/organizations/:id/leave',
    config: { access: member('viewer', 'organization'), affects: ['members'] },
    schema: {
      operationId: 'leaveOrganization',
      summary: 'Leave an organization; its last owner stays',
      params: IdParams,
      response: { 204: Nothing, ...problems(404, 409, 412) },
    },
    async handler({ caller, actor, params, ifMatch }, reply) {
      await leaveOrganization(caller, { organizationId: params.id, userId: asUser(actor).id }, ifMatch)
      reply.code(204)
      return null
    },
  })

  app.route({
    method: 'POST',
    url: '/organizations/:id/transfer-ownership',
    config: { access: member('owner', 'organization'), affects: ['members'] },
    schema: {
      operationId: 'transferOwnership',
      summary: 'Make another member owner; the caller becomes an admin',
      params: IdParams,
      body: TransferOwnership,
      response: { 200: Member, ...problems(404, 412, 422) },
    },
    handler: ({ caller, params, body, ifMatch }) => transferOwnership(caller, params.id, body, ifMatch),
  })
}
