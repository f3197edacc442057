import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, everyone, signedIn } from '../../../lib/access.ts'
import { problems } from '../../../lib/errors.ts'
import { Nothing } from '../../../lib/schema.ts'
import { Login, Logout, Refresh, SignedIn, Tokens } from '../schemas/sessions.ts'
import type { Sessions } from '../service/sessions.ts'

const tags = ['auth']

export const sessionRoutes: FastifyPluginAsyncTypebox<{ sessions: Sessions }> = async (app, { sessions }) => {
  app.route({
    method: 'POST',
    url: '/auth/login',
    config: { access: everyone, sensitive: true, cache: 'no-store' },
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
