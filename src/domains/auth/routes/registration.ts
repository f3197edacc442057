import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { everyone } from '../../../lib/access.ts'
import { problems } from '../../../lib/errors.ts'
import { Nothing } from '../../../lib/schema.ts'
import { route } from '../../../plugins/routes.ts'
import { authErrors } from '../errors.ts'
import { Register, Registered, ResendVerification, VerifyEmail } from '../schemas/registration.ts'
import { register, resendVerification, verifyEmail } from '../service/registration.ts'

const sensitive = { access: everyone, sensitive: true }

export const registrationRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'POST',
    url: '/auth/register',
    config: { ...sensitive, cache: 'no-store', affects: ['users', 'profiles', 'settings', 'jobs.job'] },
    schema: {
      operationId: 'register',
      summary: 'Create an account; a mail with a link follows',
      body: Register,
      response: { 201: Registered },
    },
    handler: async ({ caller, body }) => ({ user: await register(app, caller, body) }),
  })

  route(app, {
    method: 'POST',
    url: '/auth/verify-email',
    config: { ...sensitive, affects: ['users', 'tokens'] },
    schema: {
      operationId: 'verifyEmail',
      summary: 'Confirm an address with the token of the mail',
      body: VerifyEmail,
      response: { 204: Nothing, ...problems(authErrors.token_invalid) },
    },
    handler: async ({ caller, body }) => void (await verifyEmail(caller, body.token)),
  })

  route(app, {
    method: 'POST',
    url: '/auth/verify-email/resend',
    config: { ...sensitive, affects: ['jobs.job'] },
    schema: {
      operationId: 'resendVerification',
      summary: 'Send the mail again',
      body: ResendVerification,
      response: { 202: Nothing },
    },
    handler: async ({ caller, body }) => void (await resendVerification(app, caller, body.email)),
  })
}
