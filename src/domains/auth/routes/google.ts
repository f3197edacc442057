import cookie, { type CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { preHandlerHookHandler } from 'fastify'
import { asUser, everyone, signedIn } from '../../../lib/access.ts'
import { problems } from '../../../lib/errors.ts'
import { Redirect } from '../../../lib/schema.ts'
import { route } from '../../../plugins/routes.ts'
import { authErrors } from '../errors.ts'
import { Exchange, GoogleLink, GoogleQuery, LinkGoogle } from '../schemas/google.ts'
import { SignedIn } from '../schemas/sessions.ts'
import { exchangeCode } from '../service/exchange.ts'
import { Google, type GoogleClient } from '../service/google.ts'
import { FLOW_SECONDS, GoogleSignIn } from '../service/google-flow.ts'
import { proveRecently } from '../service/reauthentication.ts'
import type { Sessions } from '../service/sessions.ts'

interface Options {
  sessions: Sessions
  client: GoogleClient | null
  publicUrl: string
  appUrl: string
  production: boolean
}

export const googleRoutes: FastifyPluginAsyncTypebox<Options> = async (app, options) => {
  const { sessions, client, publicUrl, production } = options
  const google = new Google(client, `${publicUrl}${app.prefix}/auth/google/callback`, app)
  const signIn = new GoogleSignIn(app, google, options)
  const secure = production || publicUrl.startsWith('https:')
  // The prefix keeps other hosts of the domain from setting this cookie (RFC 6265bis §4.1.3.2); it needs TLS.
  const name = secure ? '__Host-google' : 'google'
  // Lax, because the redirect back from Google is a cross-site navigation.
  const attributes: CookieSerializeOptions = { path: '/', httpOnly: true, sameSite: 'lax', secure }
  await app.register(cookie)

  /**
   * Asks Google before the handler: with an idempotency key the handler runs in a transaction, and none may be open
   * during that request.
   */
  const preHandler: preHandlerHookHandler = (_request, _reply, done) => {
    google.ready().then(() => done(), done)
  }

  route(app, {
    method: 'GET',
    url: '/auth/google',
    config: { access: everyone, sensitive: true, cache: 'no-store', affects: ['tokens'] },
    preHandler,
    schema: {
      operationId: 'signInWithGoogle',
      summary: 'Send the browser to Google to sign in; a cookie binds what follows to it',
      querystring: GoogleQuery,
      response: { 302: Redirect, ...problems(authErrors.google_not_configured, authErrors.google_unavailable) },
    },
    async handler({ query }, reply) {
      const { secret, url } = await signIn.begin({ userId: null, challenge: query.challenge ?? null })
      reply
        .setCookie(name, secret, { ...attributes, maxAge: FLOW_SECONDS })
        .code(302)
        .header('location', url)
      return null
    },
  })

  route(app, {
    method: 'GET',
    url: '/auth/google/callback',
    config: { access: everyone, sensitive: true, cache: 'no-store' },
    schema: {
      operationId: 'googleCallback',
      summary: 'Where Google sends the browser back; it goes on to the front end with a code to exchange',
      description:
        'To `APP_URL/signed-in` with `code` (for 60 seconds), `linked=google` or the code of an `error`. The query is that of an authorization response (RFC 6749 §4.1.2, RFC 9207).',
      response: { 302: Redirect, ...problems(authErrors.google_not_configured) },
    },
    async handler({ caller, cookies, url }, reply) {
      const target = await signIn.complete(caller, cookies[name], url.slice(url.indexOf('?') + 1))
      reply.clearCookie(name, attributes).code(302).header('location', target)
      return null
    },
  })

  route(app, {
    method: 'POST',
    url: '/auth/exchange',
    config: { access: everyone, sensitive: true, cache: 'no-store', affects: ['sessions', 'tokens'] },
    schema: {
      operationId: 'exchangeCode',
      summary: 'Sign in with the code that the front end was given in a redirect',
      body: Exchange,
      response: {
        200: SignedIn,
        ...problems(authErrors.token_invalid, authErrors.email_not_verified, authErrors.account_deactivated),
      },
    },
    handler: ({ caller, body }) => exchangeCode(sessions, caller, body),
  })

  route(app, {
    method: 'POST',
    url: '/auth/google/link',
    config: { access: signedIn, sensitive: true, cache: 'no-store', credentials: true, affects: ['tokens'] },
    preHandler,
    schema: {
      operationId: 'linkGoogle',
      summary: 'Let the signed-in user sign in with Google as well: the URL is for their browser',
      body: LinkGoogle,
      response: {
        200: GoogleLink,
        ...problems(
          authErrors.password_wrong,
          authErrors.reauthentication_required,
          authErrors.google_not_configured,
          authErrors.google_unavailable,
        ),
      },
    },
    async handler({ actor, body }, reply) {
      const user = asUser(actor)
      await proveRecently(app, user, body?.password)
      const { secret, url } = await signIn.begin({ userId: user.id, challenge: null })
      reply.setCookie(name, secret, { ...attributes, maxAge: FLOW_SECONDS })
      return { url }
    },
  })
}
