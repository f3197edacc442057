import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, everyone, signedIn } from '../../../lib/access.ts'
import { problems } from '../../../lib/errors.ts'
import { route } from '../../../plugins/routes.ts'
import { organizationErrors } from '../errors.ts'
import { AcceptInvitation, Joined, RegisterInvited } from '../schemas/invitations.ts'
import { Member } from '../schemas/members.ts'
import { acceptInvitation, registerInvited } from '../service/acceptance.ts'

export const acceptanceRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'POST',
    url: '/invitations/accept',
    config: { access: signedIn, sensitive: true, affects: ['invitations', 'members'] },
    schema: {
      operationId: 'acceptInvitation',
      summary: 'Join an organization with the token of the mail, as the user whose address it was sent to',
      body: AcceptInvitation,
      response: {
        200: Member,
        ...problems(
          organizationErrors.invitation_invalid,
          organizationErrors.invitation_for_another,
          organizationErrors.already_member,
        ),
      },
    },
    handler: ({ caller, actor, body }) => acceptInvitation(caller, asUser(actor).id, body.token),
  })

  route(app, {
    method: 'POST',
    url: '/invitations/register',
    config: {
      access: everyone,
      sensitive: true,
      cache: 'no-store',
      affects: ['users', 'profiles', 'settings', 'invitations', 'members'],
      records: ['user.registered', 'user.email_verified', 'invitation.accepted', 'member.added'],
    },
    schema: {
      operationId: 'registerInvited',
      summary: 'Create an account with the token of the mail, and join',
      body: RegisterInvited,
      response: { 201: Joined, ...problems(organizationErrors.invitation_invalid, organizationErrors.account_exists) },
    },
    handler: async ({ caller, body }) => ({ user: await registerInvited(app, caller, body) }),
  })
}
