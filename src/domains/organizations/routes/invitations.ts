import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { member } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { Nothing } from '../../../lib/schema.ts'
import { route } from '../../../plugins/routes.ts'
import { organizationErrors } from '../errors.ts'
import { findInvitation, listInvitations } from '../queries/invitations.ts'
import { CreateInvitation, Invitation, InvitationList, InvitationsQuery } from '../schemas/invitations.ts'
import { createInvitation, deleteInvitation, resendInvitation } from '../service/invitations.ts'

const access = member('admin', 'organization')
/** These routes send mail to an address that the caller chooses. */
const mailing = { access, sensitive: 'address' } as const
const path = ({ id, invitationId }: { id: string; invitationId: string }) => ({ organizationId: id, id: invitationId })

export const invitationRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'POST',
    url: '/organizations/:id/invitations',
    config: { ...mailing, affects: ['jobs.job'] },
    schema: {
      operationId: 'createInvitation',
      summary: 'Invite somebody by mail; only an owner invites an owner',
      body: CreateInvitation,
      response: {
        201: Invitation,
        ...problems(
          organizationErrors.owner_required,
          organizationErrors.already_member,
          organizationErrors.invitation_pending,
          organizationErrors.too_many_invitations,
        ),
      },
    },
    handler: ({ caller, params, body }) => createInvitation(app, caller, params.id, body),
  })

  route(app, {
    method: 'GET',
    url: '/organizations/:id/invitations',
    config: { access },
    schema: {
      operationId: 'listInvitations',
      summary: 'The invitations that are pending or have lately expired',
      querystring: InvitationsQuery,
      response: { 200: InvitationList },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listInvitations(app.database, { organizationId: params.id }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/organizations/:id/invitations/:invitationId',
    config: { access },
    schema: {
      operationId: 'getInvitation',
      summary: 'An invitation, without its token',
      response: { 200: Invitation },
    },
    handler: async ({ params }) => orNotFound(await findInvitation(app.database, path(params))),
  })

  route(app, {
    method: 'DELETE',
    url: '/organizations/:id/invitations/:invitationId',
    config: { access },
    schema: {
      operationId: 'deleteInvitation',
      summary: 'Revoke an invitation',
      response: { 204: Nothing },
    },
    handler: async ({ caller, params, ifMatch }) => void (await deleteInvitation(caller, path(params), ifMatch)),
  })

  route(app, {
    method: 'POST',
    url: '/organizations/:id/invitations/:invitationId/resend',
    config: { ...mailing, affects: ['jobs.job'] },
    schema: {
      operationId: 'resendInvitation',
      summary: 'Send an invitation again, for another seven days; the link of the mail before dies',
      response: { 200: Invitation, ...problems(organizationErrors.owner_required) },
    },
    handler: ({ caller, params, ifMatch }) => resendInvitation(app, caller, path(params), ifMatch),
  })
}
