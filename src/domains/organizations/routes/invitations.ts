import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { member } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { IdParams, Nothing } from '../../../lib/schema.ts'
import { findInvitation, listInvitations } from '../queries/invitations.ts'
import {
  CreateInvitation,
  Invitation,
  InvitationList,
  InvitationParams,
  InvitationsQuery,
} from '../schemas/invitations.ts'
import { createInvitation, deleteInvitation, resendInvitation } from '../service/invitations.ts'

const access = member('admin', 'organization')
/** It sends mail to whomever the caller names. */
const mailing = { access, sensitive: 'address' } as const
const path = ({ id, invitationId }: { id: string; invitationId: string }) => ({ organizationId: id, id: invitationId })

export const invitationRoutes: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/organizations/:id/invitations',
    config: { ...mailing, affects: ['jobs.job'] },
    schema: {
      operationId: 'createInvitation',
      summary: 'Invite somebody by mail; only an owner invites an owner',
      params: IdParams,
      body: CreateInvitation,
      response: { 201: Invitation, ...problems(404, 409, 422, 429) },
    },
    async handler({ caller, params, body }, reply) {
      const invitation = await createInvitation(app, caller, params.id, body)
      reply.code(201).header('location', `/api/v1/organizations/${params.id}/invitations/${invitation.id}`)
      return invitation
    },
  })

  app.route({
    method: 'GET',
    url: '/organizations/:id/invitations',
    config: { access },
    schema: {
      operationId: 'listInvitations',
      summary: 'The invitations that are pending or have lately expired',
      params: IdParams,
      querystring: InvitationsQuery,
      response: { 200: InvitationList, ...problems(400, 404, 422) },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listInvitations(app.database, { organizationId: params.id }, {}, query)),
  })

  app.route({
    method: 'GET',
    url: '/organizations/:id/invitations/:invitationId',
    config: { access },
    schema: {
      operationId: 'getInvitation',
      summary: 'An invitation, without its token',
      params: InvitationParams,
      response: { 200: Invitation, ...problems(404) },
    },
    handler: async ({ params }) => orNotFound(await findInvitation(app.database, path(params))),
  })

  app.route({
    method: 'DELETE',
    url: '/organizations/:id/invitations/:invitationId',
    config: { access },
    schema: {
      operationId: 'deleteInvitation',
      summary: 'Revoke an invitation',
      params: InvitationParams,
      response: { 204: Nothing, ...problems(404, 412) },
    },
    async handler({ caller, params, ifMatch }, reply) {
      await deleteInvitation(caller, path(params), ifMatch)
      reply.code(204)
      return null
    },
  })

  app.route({
    method: 'POST',
    url: '/organizations/:id/invitations/:invitationId/resend',
    config: { ...mailing, affects: ['jobs.job'] },
    schema: {
      operationId: 'resendInvitation',
      summary: 'Send an invitation again, for another seven days; the link of the mail before dies',
      params: InvitationParams,
      response: { 200: Invitation, ...problems(404, 412, 429) },
    },
    handler: ({ caller, params, ifMatch }) => resendInvitation(app, caller, path(params), ifMatch),
  })
}
