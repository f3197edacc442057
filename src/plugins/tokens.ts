import jwt from '@fastify/jwt'
import { Type } from '@sinclair/typebox'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { ACCESS_TOKEN_SECONDS, everyone, type PlatformRole, type UserActor } from '../lib/access.ts'
import { StringEnum } from '../lib/schema.ts'
import type { SigningKey } from '../lib/signing-keys.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns a signed access token that expires after 15 minutes. */
    signAccessToken(session: Session): string
    /** Returns the user of an access token; null when it was not signed here for this audience, or has expired. */
    verifyAccessToken(token: string): UserActor | null
  }
}

declare module '@fastify/jwt' {
  interface FastifyJWT {
    payload: Omit<Claims, 'exp'>
    user: Claims
    /** One namespace for each key, named by its `kid`: the library then builds signer and verifier only once. */
    namespaces: string
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

const AUDIENCE = 'lintel'
const TOKEN_TYPE = 'at+jwt'
/** Our tokens have some 350 characters; longer ones are refused without parsing. */
const TOKEN_CHARACTERS = 4096
/** Takes some 10 MB. The library’s own cache hashes each token on each request, 4 % of a read by id. */
const VERIFIED_TOKENS = 20_000

interface TokensOptions {
  /** The first key signs, all verify; all have the same algorithm. */
  signingKeys: SigningKey[]
  issuer: string
}

async function tokens(app: FastifyInstance, { signingKeys, issuer }: TokensOptions) {
  for (const { kid, algorithm, secret } of signingKeys) {
    await app.register(jwt, {
      namespace: kid,
      secret,
      sign: {
        algorithm,
        iss: issuer,
        aud: AUDIENCE,
        expiresIn: ACCESS_TOKEN_SECONDS,
        header: { alg: algorithm, typ: TOKEN_TYPE, kid },
      },
      verify: {
        algorithms: [algorithm],
        allowedIss: issuer,
        allowedAud: AUDIENCE,
        requiredClaims: ['sub', 'sid', 'role', 'iss', 'aud', 'iat', 'exp'],
        checkTyp: TOKEN_TYPE,
      },
    })
  }
  const [{ kid }] = signingKeys as [SigningKey]
  app.decorate('signAccessToken', ({ userId, sessionId, role }) =>
    (app.jwt[kid] as Verifier).sign({ sub: userId, sid: sessionId, role }),
  )
  app.decorate(
    'verifyAccessToken',
    tokenVerifier(new Map(signingKeys.map(key => [key.kid, app.jwt[key.kid] as Verifier]))),
  )
  publishKeys(app, signingKeys)
}

type Verifier = FastifyInstance['jwt'][string]

interface Verified {
  token: string
  claims: Claims
  expiresAtMs: number
}

/**
 * Returns a function that verifies tokens and caches the result, by signature, which is shorter than the token. When
 * the cache is full, the oldest entry is dropped.
 */
function tokenVerifier(verifiers: ReadonlyMap<unknown, Verifier>): (token: string) => UserActor | null {
  const kept = new Map<string, Verified>()

  const verify = (token: string): Verified | undefined => {
    const claims = verifiers.get(keyIdOf(token))?.verify<Claims>(token)
    if (!claims) return undefined
    const verified = { token, claims, expiresAtMs: claims.exp * 1000 }
    if (kept.size >= VERIFIED_TOKENS) kept.delete(kept.keys().next().value as string)
    kept.set(signatureOf(token), verified)
    return verified
  }

  return token => {
    if (token.length > TOKEN_CHARACTERS) return null
    const known = kept.get(signatureOf(token))
    try {
      const verified = known?.token === token && known.expiresAtMs > Date.now() ? known : verify(token)
      if (!verified) return null
      const { sub, sid, role } = verified.claims
      return { type: 'user', id: sub, sessionId: sid, role }
    } catch {
      return null
    }
  }
}

const SIGNATURE_CHARACTERS = 43
const signatureOf = (token: string): string => token.slice(-SIGNATURE_CHARACTERS)

/**
 * Reads `kid`, the only header field that is used before the signature is verified; `jku`, `jwk` and `x5u` are never
 * read.
 */
const keyIdOf = (token: string): unknown =>
  JSON.parse(Buffer.from(token.slice(0, token.indexOf('.')), 'base64url').toString()).kid

const Jwk = Type.Object(
  {
    kty: StringEnum(['OKP'], { description: 'The kind of key (RFC 8037).' }),
    crv: StringEnum(['Ed25519'], { description: 'The curve.' }),
    x: Type.String({
      description: 'The public key in base64url.',
      examples: ['11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'],
    }),
    kid: Type.String({ description: 'As the header of a token names the key.', examples: ['2026-01'] }),
    alg: StringEnum(['EdDSA'], { description: 'What it signs with.' }),
    use: StringEnum(['sig'], { description: 'What it is for.' }),
  },
  { title: 'Jwk', description: 'A public key (RFC 7517).' },
)
const Jwks = Type.Object(
  {
    keys: Type.Array(Jwk, {
      description: 'Every key that a valid token may be signed with; none where a shared secret signs.',
    }),
  },
  { title: 'Jwks', description: 'A set of public keys (RFC 7517).' },
)

/** Publishes the public keys, with which others can verify our tokens; a shared secret has nothing to publish. */
function publishKeys(app: FastifyInstance, signingKeys: SigningKey[]): void {
  const keys = signingKeys.flatMap(({ jwk }) => jwk ?? [])
  const schema = {
    operationId: 'getJwks',
    summary: 'The public keys that verify access tokens',
    tags: ['auth'],
    response: { 200: Jwks },
  }
  const config = { access: everyone, cache: 'public, max-age=300' } as const
  app.get('/.well-known/jwks.json', { config, schema }, async () => ({ keys }))
}

export const tokensPlugin = fp(tokens, { name: 'tokens', dependencies: ['errors'] })
