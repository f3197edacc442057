import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, everyone, signedIn } from '../../../lib/access.ts'
import { problems } from '../../../lib/errors.ts'
import { Nothing } from '../../../lib/schema.ts'
import { route } from '../../../plugins/routes.ts'
import { authErrors } from '../errors.ts'
import { ChangeEmail, ConfirmEmail, EmailConfirmation } from '../schemas/email.ts'
import { changeEmail, confirmEmail } from '../service/email-change.ts'

export const emailRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'POST',
    url: '/auth/email/change',
    config: {
      access: signedIn,
      sensitive: true,
      affects: ['email_changes', 'jobs.job'],
      records: ['user.email_change_requested'],
    },
    schema: {
      operationId: 'changeEmail',
      summary: 'Ask for another address; the old and the new one confirm it',
      body: ChangeEmail,
      response: { 202: Nothing, ...problems(authErrors.password_wrong, authErrors.reauthentication_required) },
    },
    handler: async ({ caller, actor, body }) => void (await changeEmail(app, caller, asUser(actor), body)),
  })

  route(app, {
    method: 'POST',
    url: '/auth/email/confirm',
    config: {
      access: everyone,
      sensitive: true,
      affects: ['users', 'email_changes', 'tokens', 'jobs.job'],
      records: ['user.email_change_confirmed', 'user.email_changed'],
    },
    schema: {
      operationId: 'confirmEmail',
      summary: 'Confirm a change of address with the token of one of the two mails',
      body: ConfirmEmail,
      response: { 200: EmailConfirmation, ...problems(authErrors.token_invalid, authErrors.email_taken) },
    },
    handler: ({ caller, body }) => confirmEmail(app, caller, body.token),
  })
}
