import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, everyone, signedIn } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { Nothing } from '../../../lib/schema.ts'
import { route } from '../../../plugins/routes.ts'
import { authErrors } from '../errors.ts'
import { listSessions } from '../queries/sessions.ts'
import { Login, Logout, Refresh, SessionList, SessionsQuery, SignedIn, Tokens } from '../schemas/sessions.ts'
import type { Sessions } from '../service/sessions.ts'

export const sessionRoutes: FastifyPluginAsyncTypebox<{ sessions: Sessions }> = async (app, { sessions }) => {
  route(app, {
    method: 'POST',
    url: '/auth/login',
    config: {
      access: everyone,
      sensitive: true,
      cache: 'no-store',
      affects: ['users', 'sessions'],
      records: ['session.started'],
    },
    schema: {
      operationId: 'login',
      summary: 'Sign in with address and password',
      body: Login,
      response: {
        200: SignedIn,
        ...problems(authErrors.invalid_credentials, authErrors.email_not_verified, authErrors.account_deactivated),
      },
    },
    handler: ({ caller, body }) => sessions.login(caller, body),
  })

  route(app, {
    method: 'POST',
    url: '/auth/refresh',
    config: { access: everyone, cache: 'no-store', affects: ['sessions'], records: [] },
    schema: {
      operationId: 'refresh',
      summary: 'The next access and refresh token of a session',
      body: Refresh,
      response: { 200: Tokens, ...problems(authErrors.refresh_token_invalid) },
    },
    handler: ({ caller, body }) => sessions.refresh(caller, body.refreshToken),
  })

  route(app, {
    method: 'POST',
    url: '/auth/logout',
    config: { access: signedIn, affects: ['sessions'] },
    schema: {
      operationId: 'logout',
      summary: 'End this session, the others, or all',
      body: Logout,
      response: { 204: Nothing },
    },
    handler: async ({ caller, actor, body }) =>
      void (await sessions.logout(caller, asUser(actor), body?.scope ?? 'session')),
  })

  route(app, {
    method: 'GET',
    url: '/auth/sessions',
    config: { access: signedIn },
    schema: {
      operationId: 'listSessions',
      summary: 'Where the signed-in user is signed in',
      querystring: SessionsQuery,
      response: { 200: SessionList },
    },
    async handler({ actor, query }) {
      const { id: userId, sessionId } = asUser(actor)
      return orNotFound(await listSessions(app.database, { userId }, { sessionId }, query))
    },
  })

  route(app, {
    method: 'DELETE',
    url: '/auth/sessions/:id',
    config: { access: signedIn },
    schema: {
      operationId: 'endSession',
      summary: 'Sign out one session of the signed-in user',
      response: { 204: Nothing },
    },
    handler: async ({ caller, actor, params }) => void (await sessions.end(caller, asUser(actor).id, params.id)),
  })
}
