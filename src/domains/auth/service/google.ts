import type { FastifyBaseLogger, FastifyInstance } from 'fastify'
import type { Configuration } from 'openid-client'
import type { AppError } from '../../../lib/errors.ts'
import { textForm } from '../../../lib/text-form.ts'
import { authErrors } from '../errors.ts'
import type { Subject } from '../queries/identities.ts'

export interface GoogleClient {
  clientId: string
  clientSecret: string
  issuer: string
}

/** The timeout of one request to Google. A sign-in makes at most three; together they stay below that of a request. */
const TIMEOUT_MS = 3_000
/** Ten times the size of Google's metadata and keys. */
const MAX_ANSWER_BYTES = 131_072
const SCOPE = 'openid email profile'
const MAX_EMAIL_CHARACTERS = 254
const MAX_NAME_CHARACTERS = 100

export interface GoogleAccount extends Subject {
  provider: 'google'
  /** In lower case; null when Google has not verified it. */
  email: string | null
  /** Whether Google hosts the verified address, so that the account belongs to the person who reads its mail today. */
  isAuthoritative: boolean
  name: string
}

/** The secrets of one sign-in flow. */
export interface GoogleFlow {
  state: string
  nonce: string
  codeVerifier: string
}

/** Loaded on first use: it takes some 7 MB of memory. */
const library = () => import('openid-client')

/** The OpenID Connect client for Google. */
export class Google {
  readonly #client: GoogleClient | null
  readonly #redirectUri: string
  readonly #log: FastifyBaseLogger
  readonly #outbound: FastifyInstance['outbound']
  #discovered: Promise<Configuration> | undefined

  constructor(client: GoogleClient | null, redirectUri: string, { log, outbound }: FastifyInstance) {
    this.#client = client
    this.#redirectUri = redirectUri
    this.#log = log
    this.#outbound = outbound
  }

  /**
   * Returns the provider's metadata. Concurrent callers share one request, and a failed one is repeated on the next
   * call. Throws `google_not_configured`, `google_unavailable`.
   */
  async ready(): Promise<Configuration> {
    if (this.#client === null) throw authErrors.google_not_configured()
    this.#discovered ??= this.#discover(this.#client).catch(error => {
      this.#discovered = undefined
      this.#log.warn({ reason: reasonOf(error) }, 'the metadata of Google cannot be read')
      throw authErrors.google_unavailable()
    })
    return this.#discovered
  }

  async #discover({ issuer, clientId, clientSecret }: GoogleClient): Promise<Configuration> {
    const { discovery, allowInsecureRequests, customFetch, enableNonRepudiationChecks } = await library()
    const insecure = issuer.startsWith('http:') ? [allowInsecureRequests] : []
    return discovery(new URL(issuer), clientId, clientSecret, undefined, {
      [customFetch]: this.#outbound.fetch({ target: 'google', timeoutMs: TIMEOUT_MS, maxBytes: MAX_ANSWER_BYTES }),
      // Without this the library relies on TLS for the id token (OpenID Connect Core §3.1.3.7) and does not verify its signature.
      execute: [...insecure, enableNonRepudiationChecks],
    })
  }

  /** Throws as `ready`. */
  async authorizationUrl({ state, nonce, codeVerifier }: GoogleFlow): Promise<string> {
    const configuration = await this.ready()
    const { buildAuthorizationUrl, calculatePKCECodeChallenge } = await library()
    return buildAuthorizationUrl(configuration, {
      redirect_uri: this.#redirectUri,
      scope: SCOPE,
      state,
      nonce,
      code_challenge: await calculatePKCECodeChallenge(codeVerifier),
      code_challenge_method: 'S256',
    }).href
  }

  /**
   * Returns the account that Google names in its answer to `flow`; `query` is the query string of the callback. Throws
   * as `ready`, and `google_denied`, `google_sign_in_failed`.
   */
  async identify({ state, nonce, codeVerifier }: GoogleFlow, query: string): Promise<GoogleAccount> {
    const configuration = await this.ready()
    const { authorizationCodeGrant } = await library()
    const answer = new URL(this.#redirectUri)
    answer.search = query
    const checks = { expectedState: state, expectedNonce: nonce, pkceCodeVerifier: codeVerifier, idTokenExpected: true }
    const tokens = await authorizationCodeGrant(configuration, answer, checks).catch(error => {
      const failure = failureOf(error)
      // These errors come from the query string, which anybody can write, so they are not logged.
      if (failure.code !== 'google_denied' && error.name !== 'AuthorizationResponseError')
        this.#log.warn({ reason: reasonOf(error) }, 'a sign-in with Google failed')
      throw failure
    })
    return accountOf(tokens.claims() ?? {})
  }
}

/** What the library throws: its own errors have a code, those of the provider an OAuth error, those of `app.outbound` are a cause. */
interface Failure extends Error {
  code?: string
  error?: string
  cause?: { code?: string; reason?: string }
}

const reasonOf = ({ name, code, error, cause }: Failure): string =>
  [name, code, error, cause?.code, cause?.reason].filter(part => typeof part === 'string').join(' ')

const UNAVAILABLE =
  /^(upstream_failed|upstream_timeout|OAUTH_(RESPONSE_IS_NOT_CONFORM|RESPONSE_IS_NOT_JSON|PARSE_ERROR)|server_error|temporarily_unavailable)$/

function failureOf({ code, error, cause }: Failure): AppError {
  if (error === 'access_denied') return authErrors.google_denied()
  const away = UNAVAILABLE.test(error ?? code ?? cause?.code ?? '')
  return away ? authErrors.google_unavailable() : authErrors.google_sign_in_failed()
}

interface IdClaims {
  sub?: unknown
  email?: unknown
  email_verified?: unknown
  hd?: unknown
  name?: unknown
}

function accountOf({ sub, email, email_verified, hd, name }: IdClaims): GoogleAccount {
  const isUsable = typeof email === 'string' && email.includes('@') && email.length <= MAX_EMAIL_CHARACTERS
  const address = isUsable && email_verified === true ? email.toLowerCase() : null
  const called = plain(name) || plain(address?.split('@', 1)[0]) || 'Google user'
  const isAuthoritative = isHosted(address, hd)
  return { provider: 'google', subject: String(sub), email: address, isAuthoritative, name: called }
}

/**
 * For other addresses Google only knows that somebody read a mail there when the Google account was created; the
 * address may have another owner now. Source:
 * https://developers.google.com/identity/gsi/web/guides/verify-google-id-token
 */
const isHosted = (verified: string | null, hd: unknown): boolean =>
  verified !== null && (verified.endsWith('@gmail.com') || (typeof hd === 'string' && hd !== ''))

const nameForm = textForm({ visible: true })

/**
 * Returns `text` in the form of a name: without control characters and lone surrogates, trimmed and cut to the maximum
 * length; '' when nothing visible is left.
 */
function plain(text: unknown): string {
  if (typeof text !== 'string') return ''
  const shown = text.replace(/[\p{Cc}\p{Cs}]/gu, '').trim()
  return nameForm.of([...shown].slice(0, MAX_NAME_CHARACTERS).join('')) ?? ''
}
