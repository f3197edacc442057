import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, everyone, signedIn } from '../../../lib/access.ts'
import { problems } from '../../../lib/errors.ts'
import { Nothing } from '../../../lib/schema.ts'
import { ChangePassword, ForgotPassword, ResetPassword } from '../schemas/passwords.ts'
import { changePassword } from '../service/password-change.ts'
import { forgotPassword, resetPassword } from '../service/password-reset.ts'

export const passwordRoutes: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/auth/password/forgot',
    config: { access: everyone, sensitive: true, affects: ['jobs.job'] },
    schema: {
      operationId: 'forgotPassword',
      summary: 'Send a link for a new password, if the address has an account',
      body: ForgotPassword,
      response: { 202: Nothing, ...problems(422, 429) },
    },
    async handler({ caller, body }, reply) {
      await forgotPassword(app, caller, body.email)
      reply.code(202)
      return null
    },
  })

  app.route({
    method: 'POST',
    url: '/auth/password/reset',
    config: { access: everyone, sensitive: true, affects: ['users', 'sessions', 'tokens', 'jobs.job'] },
    schema: {
      operationId: 'resetPassword',
      summary: 'Set a new password with the token of the mail; every session ends',
      body: ResetPassword,
      response: { 204: Nothing, ...problems(400, 422, 429) },
    },
    async handler({ caller, body }, reply) {
      await resetPassword(app, caller, body)
      reply.code(204)
      return null
    },
  })

  app.route({
    method: 'POST',
    url: '/auth/password/change',
    config: { access: signedIn, sensitive: true, affects: ['users', 'sessions', 'jobs.job'] },
    schema: {
      operationId: 'changePassword',
      summary: 'Change the password; every other session ends',
      body: ChangePassword,
      response: { 204: Nothing, ...problems(403, 409, 422, 429) },
    },
    async handler({ caller, actor, body }, reply) {
      await changePassword(app, caller, asUser(actor), body)
      reply.code(204)
      return null
    },
  })
}
