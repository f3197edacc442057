import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, everyone, signedIn } from '../../../lib/access.ts'
import { problems } from '../../../lib/errors.ts'
import { Nothing } from '../../../lib/schema.ts'
import { route } from '../../../plugins/routes.ts'
import { authErrors } from '../errors.ts'
import { ChangePassword, ForgotPassword, ResetPassword } from '../schemas/passwords.ts'
import { changePassword } from '../service/password-change.ts'
import { forgotPassword, resetPassword } from '../service/password-reset.ts'

export const passwordRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'POST',
    url: '/auth/password/forgot',
    config: { access: everyone, sensitive: true, affects: ['jobs.job'] },
    schema: {
      operationId: 'forgotPassword',
      summary: 'Send a link for a new password, if the address has an account',
      body: ForgotPassword,
      response: { 202: Nothing },
    },
    handler: async ({ caller, body }) => void (await forgotPassword(app, caller, body.email)),
  })

  route(app, {
    method: 'POST',
    url: '/auth/password/reset',
    config: { access: everyone, sensitive: true, affects: ['users', 'sessions', 'tokens', 'jobs.job'] },
    schema: {
      operationId: 'resetPassword',
      summary: 'Set a new password with the token of the mail; every session ends',
      body: ResetPassword,
      response: { 204: Nothing, ...problems(authErrors.token_invalid) },
    },
    handler: async ({ caller, body }) => void (await resetPassword(app, caller, body)),
  })

  route(app, {
    method: 'POST',
    url: '/auth/password/change',
    config: { access: signedIn, sensitive: true, affects: ['users', 'sessions', 'jobs.job'] },
    schema: {
      operationId: 'changePassword',
      summary: 'Change the password; every other session ends',
      body: ChangePassword,
      response: { 204: Nothing, ...problems(authErrors.password_wrong, authErrors.password_not_set) },
    },
    handler: async ({ caller, actor, body }) => void (await changePassword(app, caller, asUser(actor), body)),
  })
}
