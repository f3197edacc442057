import jwt from '@fastify/jwt'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import type { Actor, KeyActor, PlatformRole, UserActor } from '../lib/access.ts'
import { sha256 } from '../lib/crypto.ts'
import { requestErrors } from '../lib/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** A signed access token; `exp` is 15 minutes ahead. */
    signAccessToken(session: Session): string
    /** Domains that know API keys say here how one is found; undefined when it is unknown, expired or malformed. */
    findKey: { by(secret: string): Promise<KeyActor | undefined> }
    authenticate: onRequestHookHandler
  }
  interface FastifyRequest {
    /** Null on public routes. */
    actor: Actor | null
  }
}

declare module '@fastify/jwt' {
  interface FastifyJWT {
    payload: Claims
    user: Claims
  }
}

interface Session {
  userId: string
  sessionId: string
  role: PlatformRole
}
interface Claims {
  sub: string
  sid: string
  role: PlatformRole
}

export const ACCESS_TOKEN_SECONDS = 900
const ALGORITHM = 'HS256'
const AUDIENCE = 'lintel'
const TOKEN_TYPE = 'at+jwt'
/** Verified tokens kept, so that a signature is computed once for each token and not once for each request. */
const VERIFIED_TOKENS = 20_000
const BEARER = /^Bearer +(\S+)$/i
const KEY_PREFIX = 'ltl_'
const KEY_ID_CHARACTERS = 8

async function auth(app: FastifyInstance, { secret, issuer }: { secret: string; issuer: string }) {
  await app.register(jwt, {
    secret,
    sign: {
      algorithm: ALGORITHM,
      iss: issuer,
      aud: AUDIENCE,
      expiresIn: ACCESS_TOKEN_SECONDS,
      header: { alg: ALGORITHM, typ: TOKEN_TYPE, kid: keyId(secret) },
    },
    verify: {
      algorithms: [ALGORITHM],
      allowedIss: issuer,
      allowedAud: AUDIENCE,
      requiredClaims: ['sub', 'sid', 'exp', 'iat'],
      checkTyp: TOKEN_TYPE,
      cache: VERIFIED_TOKENS,
    },
  })
  app.decorate('signAccessToken', ({ userId, sessionId, role }) => app.jwt.sign({ sub: userId, sid: sessionId, role }))
  app.decorate('findKey', { by: async () => undefined })
  app.decorateRequest('actor', null)

  app.decorate('authenticate', (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void) => {
    const credential = credentialOf(request)
    if (credential === undefined) return done(requestErrors.unauthenticated())
    if (!credential.startsWith(KEY_PREFIX)) {
      request.actor = userOf(app, credential)
      return done(request.actor ? undefined : requestErrors.unauthenticated())
    }
    app.findKey.by(credential).then(key => {
      request.actor = key ?? null
      done(key ? undefined : requestErrors.unauthenticated())
    }, done)
  })
}

const keyId = (secret: string): string => sha256(secret).toString('base64url').slice(0, KEY_ID_CHARACTERS)

function credentialOf({ headers }: FastifyRequest): string | undefined {
  const { authorization } = headers
  if (authorization !== undefined) return BEARER.exec(authorization)?.[1]
  const key = headers['x-api-key']
  return typeof key === 'string' ? key : undefined
}

/** The verifier hands out one payload object for all requests of a token: the actor is a new one each time. */
function userOf(app: FastifyInstance, token: string): UserActor | null {
  try {
    const { sub, sid, role } = app.jwt.verify<Claims>(token)
    return { type: 'user', id: sub, sessionId: sid, role }
  } catch {
    return null
  }
}

export const authPlugin = fp(auth, { name: 'auth', dependencies: ['errors'] })
