import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decode, forge } from './tokens.ts'

/** A person with an account at the provider. */
export interface Person {
  sub: string
  email?: string | undefined
  email_verified?: boolean | undefined
  /** The domain of the Workspace that owns the account. */
  hd?: string | undefined
  name?: string | undefined
}
type Json = ReturnType<typeof JSON.parse>

const CALLBACK = 'http://localhost:3000/api/v1/auth/google/callback'

/** A real OpenID provider on loopback, in place of Google, whose answers can be changed. */
export interface Provider {
  /** The app's configuration for it. */
  google: { clientId: string; clientSecret: string; issuer: string }
  /** The person signed in at the provider for the next browser; null declines. */
  person: Person | null
  /** Changes the id token before it is sent. */
  tamper: ((token: { header: Json; claims: Json }) => string) | null
  /** Signs like the provider. */
  sign(header: Json, claims: Json): string
  /** Runs before the provider; if it returns true, instead of it. */
  intercept: ((request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>) | null
  requests: string[]
}

export async function startProvider(t: { teardown(done: () => Promise<void>): void }): Promise<Provider> {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const server = createServer()
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const google = { clientId: 'lintel', clientSecret: 'canary-client-secret-of-google', issuer }
  const known = new Map<string, Person>()
  const oidc = await createOidc(google, privateKey, known)
  const handle = oidc.callback()
  const provider: Provider = {
    google,
    person: null,
    tamper: null,
    intercept: null,
    requests: [],
    sign: (header, claims) => forge(header, claims, privateKey),
  }

  server.on('request', async (request: IncomingMessage, response: ServerResponse) => {
    const { url = '' } = request
    provider.requests.push(url)
    if (await provider.intercept?.(request, response)) return
    if (url.startsWith('/interaction/')) return answer(request, response)
    if (url === '/token' && provider.tamper) tamperWith(response, provider.tamper)
    handle(request, response)
  })

  async function answer(request: IncomingMessage, response: ServerResponse) {
    const { person } = provider
    if (person) known.set(person.sub, person)
    const result = person ? { login: { accountId: person.sub } } : { error: 'access_denied', error_description: 'No.' }
    await oidc.interactionFinished(request, response, result, { mergeWithLastSubmission: false })
  }
  return provider
}

async function createOidc(
  { issuer, clientId, clientSecret }: Provider['google'],
  key: KeyObject,
  known: Map<string, Person>,
) {
  // The package has no types.
  const { default: OidcProvider } = await import('oidc-provider' as string)
  return new OidcProvider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: [CALLBACK],
        token_endpoint_auth_method: 'client_secret_post',
      },
    ],
    jwks: { keys: [{ ...key.export({ format: 'jwk' }), kid: 'key', use: 'sig', alg: 'RS256' }] },
    cookies: { keys: ['cookie-key'] },
    claims: { openid: ['sub'], email: ['email', 'email_verified', 'hd'], profile: ['name'] },
    conformIdTokenClaims: false,
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    pkce: { required: () => true },
    ttl: { Interaction: 60, Session: 60, Grant: 60, IdToken: 60, AccessToken: 60 },
    findAccount: (_: unknown, sub: string) => ({ accountId: sub, claims: async () => known.get(sub) }),
    async loadExistingGrant({ oidc }: Json) {
      const grant = new oidc.provider.Grant({ clientId, accountId: oidc.session.accountId })
      grant.addOIDCScope('openid email profile')
      await grant.save()
      return grant
    },
  })
}

function tamperWith(response: ServerResponse, tamper: NonNullable<Provider['tamper']>): void {
  const end = response.end.bind(response)
  response.end = ((body: Buffer | string) => {
    if (response.statusCode !== 200) return end(body)
    const tokens = JSON.parse(String(body))
    const text = JSON.stringify({ ...tokens, id_token: tamper(decode(tokens.id_token)) })
    response.setHeader('content-length', Buffer.byteLength(text))
    return end(text)
  }) as typeof response.end
}
