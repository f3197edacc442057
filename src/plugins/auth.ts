import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Actor, KeyActor } from '../lib/access.ts'
import { requestErrors } from '../lib/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Domains that know API keys say here how one is found; undefined when it is unknown, expired or malformed. */
    findKey: FindKey
    /** The access token or key that a request presents, as it stands there. */
    credentialOf(request: FastifyRequest): string | undefined
    authenticate: onRequestHookHandler
  }
  interface FastifyRequest {
    /** Null on public routes. */
    actor: Actor | null
  }
}

interface FindKey {
  by(secret: string): Promise<KeyActor | undefined>
  /** For whoever has only the SHA-256 of the secret. */
  byHash(hash: Buffer): Promise<KeyActor | undefined>
}

const BEARER = 'Bearer '
/** The scheme is case-insensitive (RFC 9110 §11.1), but few clients use another case. */
const ANY_CASE_BEARER = /^Bearer +(\S+)$/i
const KEY_PREFIX = 'ltl_'

async function auth(app: FastifyInstance) {
  const { verifyAccessToken, revocations } = app
  app.decorate('findKey', { by: async () => undefined, byHash: async () => undefined })
  app.decorate('credentialOf', credentialOf)
  app.decorateRequest('actor', null)

  app.decorate('authenticate', (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void) => {
    const credential = credentialOf(request)
    if (credential === undefined) return done(requestErrors.unauthenticated())
    if (!credential.startsWith(KEY_PREFIX)) {
      const user = verifyAccessToken(credential)
      if (user === null || revocations.has(user.sessionId)) return done(requestErrors.unauthenticated())
      request.actor = user
      return done()
    }
    app.findKey.by(credential).then(key => {
      request.actor = key ?? null
      done(key ? undefined : requestErrors.unauthenticated())
    }, done)
  })
}

function credentialOf({ headers }: FastifyRequest): string | undefined {
  const { authorization } = headers
  if (authorization?.startsWith(BEARER)) return authorization.slice(BEARER.length)
  if (authorization !== undefined) return ANY_CASE_BEARER.exec(authorization)?.[1]
  const key = headers['x-api-key']
  return typeof key === 'string' ? key : undefined
}

export const authPlugin = fp(auth, { name: 'auth', dependencies: ['tokens', 'revocation'] })
