import type { FastifyInstance } from 'fastify'
import { type Caller, onBehalfOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { ACCESS_TOKEN_SECONDS, type UserActor } from '../../../lib/access.ts'
import { deriveKey, equalBytes, hmac } from '../../../lib/crypto.ts'
import { newId } from '../../../lib/ids.ts'
import { findCredentials } from '../../users/queries.ts'
import { authErrors } from '../errors.ts'
import { sessionEvents } from '../events.ts'
import { endSession, endSessions, findSession, insertSession, rotateSession } from '../queries/sessions.ts'
import type { Login, LogoutScope, SignedIn, Tokens } from '../schemas/sessions.ts'
import { checkPassword } from './passwords.ts'

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** `<session>.<generation>.<mac>`: derived, so one row per session is all there is to store and to steal. */
class RefreshTokens {
  readonly #key: Buffer

  constructor(secret: string) {
    this.#key = deriveKey(secret, 'refresh tokens')
  }

  issue({ id, generation }: { id: string; generation: number }): string {
    const body = `${id}.${generation}`
    return `${body}.${hmac(this.#key, body).toString('base64url')}`
  }

  /** Throws `refresh_token_invalid` on anything that was not issued here. */
  read(token: string): { id: string; generation: number } {
    const [id = '', generation = '', mac = ''] = token.split('.')
    const genuine = equalBytes(hmac(this.#key, `${id}.${generation}`), Buffer.from(mac, 'base64url'))
    if (!genuine || !UUID.test(id)) throw authErrors.refresh_token_invalid()
    return { id, generation: Number(generation) }
  }
}

export interface Policy {
  secret: string
  unverifiedLogin: boolean
}
interface LiveSession {
  id: string
  userId: string
  generation: number
  role: UserActor['role']
}

/** Signing in and out. */
export class Sessions {
  readonly #app: FastifyInstance
  readonly #refreshTokens: RefreshTokens
  readonly #unverifiedLogin: boolean

  constructor(app: FastifyInstance, { secret, unverifiedLogin }: Policy) {
    this.#app = app
    this.#refreshTokens = new RefreshTokens(secret)
    this.#unverifiedLogin = unverifiedLogin
  }

  /** Throws `invalid_credentials`, `account_deactivated`, `email_not_verified`. */
  async login(caller: Caller, { email, password }: Login): Promise<SignedIn> {
    const found = await findCredentials(this.#app.database, { email: email.toLowerCase() })
    if (!(await checkPassword(password, found?.passwordHash)) || !found) throw authErrors.invalid_credentials()
    const { passwordHash, ...user } = found
    if (user.status !== 'active') throw authErrors.account_deactivated()
    if (user.emailVerifiedAt === null && !this.#unverifiedLogin) throw authErrors.email_not_verified()
    const { address, userAgent } = caller
    const session = { id: newId(), userId: user.id, address, userAgent }
    await caller.transaction(async tx => {
      await insertSession(tx, session)
      await record(tx, onBehalfOf(caller, user.id), sessionEvents.started, session)
    })
    return { ...this.#tokens({ ...session, generation: 0, role: user.role }), user }
  }

  /**
   * The next token of the session. The token before the present one gets the same successor for ten seconds; any other
   * reuse ends the session. Throws `refresh_token_invalid`.
   */
  async refresh(caller: Caller, token: string): Promise<Tokens> {
    const presented = this.#refreshTokens.read(token)
    const session = await caller.transaction(async tx => {
      const rotated = await rotateSession(tx, presented)
      if (rotated) return rotated
      const live = await findSession(tx, presented)
      if (!live) return undefined
      if (live.replayable && live.generation === presented.generation + 1) return live
      await endSession(tx, live)
      await record(tx, onBehalfOf(caller, live.userId), sessionEvents.reuse_detected, live)
      return undefined
    })
    if (!session) throw authErrors.refresh_token_invalid()
    return this.#tokens(session)
  }

  logout(caller: Caller, { id, sessionId }: UserActor, scope: LogoutScope): Promise<void> {
    return caller.transaction(async tx => {
      const ended =
        scope === 'session'
          ? await endSession(tx, { id: sessionId })
          : await endSessions(tx, { userId: id, except: scope === 'others' ? sessionId : null })
      if (ended.length > 0) await record(tx, caller, sessionEvents.ended, ...ended)
    })
  }

  #tokens(session: LiveSession): Tokens {
    const { id, userId, role } = session
    return {
      accessToken: this.#app.signAccessToken({ userId, sessionId: id, role }),
      tokenType: 'Bearer',
      expiresIn: ACCESS_TOKEN_SECONDS,
      refreshToken: this.#refreshTokens.issue(session),
    }
  }
}
