import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import type { Caller } from '../../../events/caller.ts'
import { deriveKey, randomToken, sha256 } from '../../../lib/crypto.ts'
import { AppError } from '../../../lib/errors.ts'
import { authErrors } from '../errors.ts'
import { findToken, insertToken, takeToken } from '../queries/tokens.ts'
import type { Google, GoogleFlow } from './google.ts'
import { ownerOf } from './google-accounts.ts'
import { linkIdentity } from './identities.ts'

/** The time from the first redirect to the callback. */
export const FLOW_SECONDS = 600
/** The time from the callback to the exchange, which the front end makes at once. */
const CODE_SECONDS = 60
const PURPOSE = 'google_flow'

/** All values are derived from the secret in the cookie, so none is stored and none works in another browser. */
const flowOf = (secret: string): GoogleFlow => {
  const derived = (purpose: string) => deriveKey(secret, `google ${purpose}`).toString('base64url')
  return { state: derived('state'), nonce: derived('nonce'), codeVerifier: derived('code verifier') }
}

interface Begin {
  /** The user who links an account; null when signing in. */
  userId: string | null
  /** The exchange must send the verifier of this challenge. */
  challenge: string | null
}

/**
 * Signs in with Google or links a Google account, from the first redirect to the last. The redirect URLs contain
 * nothing from a request except one-time codes.
 */
export class GoogleSignIn {
  readonly #app: FastifyInstance
  readonly #google: Google
  readonly #page: string

  constructor(app: FastifyInstance, google: Google, { appUrl }: { appUrl: string }) {
    this.#app = app
    this.#google = google
    this.#page = `${appUrl}/signed-in`
  }

  /**
   * Returns the secret for the browser's cookie and the URL of the redirect. Throws `google_not_configured`,
   * `google_unavailable`.
   */
  async begin({ userId, challenge }: Begin): Promise<{ secret: string; url: string }> {
    const secret = randomToken()
    const url = await this.#google.authorizationUrl(flowOf(secret))
    const lasting = { purpose: PURPOSE, lifeSeconds: FLOW_SECONDS } as const
    await insertToken(this.#app.database, { hash: sha256(secret), userId, subject: challenge, ...lasting })
    return { secret, url }
  }

  /**
   * Returns the URL of the redirect after the callback: the front end, with a one-time code or only with the code of an
   * error.
   */
  async complete(caller: Caller, secret: string | undefined, query: string): Promise<string> {
    try {
      const outcome = await this.#settle(caller, secret ?? '', query)
      return `${this.#page}?${outcome}`
    } catch (error) {
      const isTold = error instanceof AppError && (error.status < 500 || error.code === 'google_unavailable')
      if (!isTold || error.code === 'google_not_configured') throw error
      return `${this.#page}?error=${error.code}`
    }
  }

  async #settle(caller: Caller, secret: string, query: string): Promise<string> {
    await this.#google.ready()
    const hash = sha256(secret)
    const begun = await findToken(this.#app.database, { hash })
    if (begun?.purpose !== PURPOSE) throw authErrors.google_sign_in_failed()
    const account = await this.#google.identify(flowOf(secret), query)
    return caller.transaction(async tx => {
      const { userId, subject: challenge } = begun
      if (userId === null) {
        const user = await ownerOf(this.#app, tx, caller, account)
        await spend(tx, hash)
        return `code=${await issueCode(tx, user.id, challenge)}`
      }
      await linkIdentity(this.#app, tx, caller, userId, account)
      await spend(tx, hash)
      return 'linked=google'
    })
  }
}

/**
 * Consumes the token of the flow. Throws `google_sign_in_failed` when it was used before or the user's links were
 * revoked while Google was asked.
 */
async function spend(tx: Transaction, hash: Buffer): Promise<void> {
  if (!(await takeToken(tx, { hash, purpose: PURPOSE }))) throw authErrors.google_sign_in_failed()
}

async function issueCode(tx: Transaction, userId: string, subject: string | null): Promise<string> {
  const code = randomToken()
  await insertToken(tx, { hash: sha256(code), purpose: 'exchange', userId, subject, lifeSeconds: CODE_SECONDS })
  return code
}
