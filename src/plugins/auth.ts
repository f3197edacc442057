import jwt from '@fastify/jwt'
import type { FastifyInstance, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify'
import fp from 'fastify-plugin'
import { ACCESS_TOKEN_SECONDS, type Actor, type KeyActor, type PlatformRole, type UserActor } from '../lib/access.ts'
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
    payload: Omit<Claims, 'exp'>
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
  exp: number
}

const ALGORITHM = 'HS256'
const AUDIENCE = 'lintel'
const TOKEN_TYPE = 'at+jwt'
/** Some 10 MB; the library’s own cache hashes each token on each request, 4 % of a read by id. */
const VERIFIED_TOKENS = 20_000
const BEARER = 'Bearer '
/** The scheme is case-insensitive (RFC 9110 §11.1); almost nobody makes use of it. */
const ANY_CASE_BEARER = /^Bearer +(\S+)$/i
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
    },
  })
  app.decorate('signAccessToken', ({ userId, sessionId, role }) => app.jwt.sign({ sub: userId, sid: sessionId, role }))
  app.decorate('findKey', { by: async () => undefined })
  app.decorateRequest('actor', null)
  const userOf = tokenVerifier(app)

  app.decorate('authenticate', (request: FastifyRequest, _reply: FastifyReply, done: (error?: Error) => void) => {
    const credential = credentialOf(request)
    if (credential === undefined) return done(requestErrors.unauthenticated())
    if (!credential.startsWith(KEY_PREFIX)) {
      const user = userOf(credential)
      if (user === null || app.revocations.has(user.sessionId)) return done(requestErrors.unauthenticated())
      request.actor = user
      return done()
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
  if (authorization?.startsWith(BEARER)) return authorization.slice(BEARER.length)
  if (authorization !== undefined) return ANY_CASE_BEARER.exec(authorization)?.[1]
  const key = headers['x-api-key']
  return typeof key === 'string' ? key : undefined
}

interface Verified {
  token: string
  claims: Claims
  expiresAtMs: number
}

/** Verifies tokens, each signature once: the oldest of the kept ones makes room. Kept by signature, a shorter key. */
function tokenVerifier(app: FastifyInstance): (token: string) => UserActor | null {
  const kept = new Map<string, Verified>()

  const verify = (token: string): Verified => {
    const claims = app.jwt.verify<Claims>(token)
    const verified = { token, claims, expiresAtMs: claims.exp * 1000 }
    if (kept.size >= VERIFIED_TOKENS) kept.delete(kept.keys().next().value as string)
    kept.set(signatureOf(token), verified)
    return verified
  }

  return token => {
    const known = kept.get(signatureOf(token))
    try {
      const { claims } = known?.token === token && known.expiresAtMs > Date.now() ? known : verify(token)
      return { type: 'user', id: claims.sub, sessionId: claims.sid, role: claims.role }
    } catch {
      return null
    }
  }
}

const SIGNATURE_CHARACTERS = 43
const signatureOf = (token: string): string => token.slice(-SIGNATURE_CHARACTERS)

export const authPlugin = fp(auth, { name: 'auth', dependencies: ['errors', 'revocation'] })
