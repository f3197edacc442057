import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, everyone, signedIn } from '../../lib/access.ts'
import { problems } from '../../lib/errors.ts'
import { Nothing } from '../../lib/schema.ts'
import {
  Login,
  Logout,
  Refresh,
  Register,
  Registered,
  ResendVerification,
  SignedIn,
  Tokens,
  VerifyEmail,
} from './schemas.ts'
import { register, resendVerification, verifyEmail } from './service/registration.ts'
import { Sessions } from './service/sessions.ts'

const tags = ['auth']
const sensitive = { access: everyone, sensitive: true }

interface AuthOptions {
  secret: string
  unverifiedLogin: boolean
}

export const authRoutes: FastifyPluginAsyncTypebox<AuthOptions> = async (app, options) => {
  const sessions = new Sessions(app, options)

  app.route({
    method: 'POST',
    url: '/auth/register',
    config: { ...sensitive, cache: 'no-store' },
    schema: {
      operationId: 'register',
      summary: 'Create an account; a mail with a link follows',
      tags,
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
    config: sensitive,
    schema: {
      operationId: 'verifyEmail',
      summary: 'Confirm an address with the token of the mail',
      tags,
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
    config: sensitive,
    schema: {
      operationId: 'resendVerification',
      summary: 'Send the mail again',
      tags,
      body: ResendVerification,
      response: { 202: Nothing, ...problems(422, 429) },
    },
    async handler({ caller, body }, reply) {
      await resendVerification(app, caller, body.email)
      reply.code(202)
      return null
    },
  })

  app.route({
    method: 'POST',
    url: '/auth/login',
    config: { ...sensitive, cache: 'no-store' },
    schema: {
      operationId: 'login',
      summary: 'Sign in with address and password',
      tags,
      body: Login,
      response: { 200: SignedIn, ...problems(401, 403, 422, 429) },
    },
    handler: ({ caller, body }) => sessions.login(caller, body),
  })

  app.route({
    method: 'POST',
    url: '/auth/refresh',
    config: { access: everyone, cache: 'no-store' },
    schema: {
      operationId: 'refresh',
      summary: 'The next access and refresh token of a session',
      tags,
      body: Refresh,
      response: { 200: Tokens, ...problems(401, 422) },
    },
    handler: ({ caller, body }) => sessions.refresh(caller, body.refreshToken),
  })

  app.route({
    method: 'POST',
    url: '/auth/logout',
    config: { access: signedIn },
    schema: {
      operationId: 'logout',
      summary: 'End this session, the others, or all',
      tags,
      body: Logout,
      response: { 204: Nothing, ...problems(422) },
    },
    async handler({ caller, actor, body }, reply) {
      await sessions.logout(caller, asUser(actor), body?.scope ?? 'session')
      reply.code(204)
      return null
    },
  })
}
