import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { everyone } from '../../../lib/access.ts'
import { problems } from '../../../lib/errors.ts'
import { Nothing } from '../../../lib/schema.ts'
import { Register, Registered, ResendVerification, VerifyEmail } from '../schemas/registration.ts'
import { register, resendVerification, verifyEmail } from '../service/registration.ts'

const sensitive = { access: everyone, sensitive: true }

export const registrationRoutes: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/auth/register',
    config: { ...sensitive, cache: 'no-store', affects: ['users', 'profiles', 'settings', 'jobs.job'] },
    schema: {
      operationId: 'register',
      summary: 'Create an account; a mail with a link follows',
      body: Register,
      response: { 201: Registered, ...problems(422, 429) },
    },
    async handler({ caller, body }, reply) {
      reply.code(201)
      return { user: await register(app, caller, body) }
    },
  })

  app.route({
    method: 'POST',
    url: '/auth/verify-email',
    config: { ...sensitive, affects: ['users', 'tokens'] },
    schema: {
      operationId: 'verifyEmail',
      summary: 'Confirm an address with the token of the mail',
      body: VerifyEmail,
      response: { 204: Nothing, ...problems(400, 422, 429) },
    },
    async handler({ caller, body }, reply) {
      await verifyEmail(caller, body.token)
      reply.code(204)
      return null
    },
  })

  app.route({
    method: 'POST',
    url: '/auth/verify-email/resend',
    config: { ...sensitive, affects: ['jobs.job'] },
    schema: {
      operationId: 'resendVerification',
      summary: 'Send the mail again',
      body: ResendVerification,
      response: { 202: Nothing, ...problems(422, 429) },
    },
    async handler({ caller, body }, reply) {
      await resendVerification(app, caller, body.email)
      reply.code(202)
      return null
    },
  })
}
