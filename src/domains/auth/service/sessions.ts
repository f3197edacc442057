import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { type Caller, onBehalfOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { ACCESS_TOKEN_SECONDS, type UserActor } from '../../../lib/access.ts'
import { orNotFound } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import type { User } from '../../users/schemas.ts'
import { authErrors } from '../errors.ts'
import { sessionEvents } from '../events.ts'
import { endSession, endSessions, findSession, insertSession, rotateSession } from '../queries/sessions.ts'
import type { Login, LogoutScope, SignedIn, Tokens } from '../schemas/sessions.ts'
import { admit, withPassword } from './credentials.ts'
import { RefreshTokens } from './refresh-tokens.ts'
import { announceEnded } from './revocation.ts'

export interface Policy {
  secrets: string[]
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

  constructor(app: FastifyInstance, { secrets, unverifiedLogin }: Policy) {
    this.#app = app
    this.#refreshTokens = new RefreshTokens(secrets)
    this.#unverifiedLogin = unverifiedLogin
  }

  /** Throws `invalid_credentials`, `account_deactivated`, `email_not_verified`. */
  login(caller: Caller, login: Login): Promise<SignedIn> {
    return withPassword(this.#app, caller, login, (tx, user) => this.startIn(tx, caller, user))
  }

  /** Starts a session for an authenticated user. Throws `account_deactivated`, `email_not_verified`. */
  start(caller: Caller, user: User): Promise<SignedIn> {
    return caller.transaction(tx => this.startIn(tx, caller, user))
  }

  /** As `start`, in an open transaction. The tokens are valid once it has committed. */
  async startIn(tx: Transaction, caller: Caller, user: User): Promise<SignedIn> {
    const { address, userAgent } = caller
    const owner = onBehalfOf(caller, user.id)
    await admit(this.#app, tx, owner, user, { unverifiedLogin: this.#unverifiedLogin })
    const session = await insertSession(tx, { id: newId(), userId: user.id, address, userAgent })
    if (!session) throw authErrors.account_deactivated()
    await record(tx, owner, sessionEvents.started, session)
    return { ...this.#tokens(session), user }
  }

  /**
   * Returns the next tokens of the session. The previous refresh token gets the same successor for ten seconds; any
   * other reuse ends the session. Throws `refresh_token_invalid`.
   */
  async refresh(caller: Caller, token: string): Promise<Tokens> {
    const presented = this.#refreshTokens.read(token)
    const session = await caller.transaction(async tx => {
      const { address, userAgent } = caller
      const rotated = await rotateSession(tx, { ...presented, address, userAgent })
      if (rotated) return rotated
      const live = await findSession(tx, presented)
      if (!live) return undefined
      if (live.replayable && live.generation === presented.generation + 1) return live
      const ended = await endSession(tx, live)
      await recordEnd(tx, onBehalfOf(caller, live.userId), sessionEvents.reuse_detected, ended)
      return undefined
    })
    if (!session) throw authErrors.refresh_token_invalid()
    return this.#tokens(session)
  }

  logout(caller: Caller, { id, sessionId }: UserActor, scope: LogoutScope): Promise<void> {
    return caller.transaction(async tx => {
      if (scope !== 'session') return endSessionsOf(tx, caller, id, scope === 'others' ? sessionId : null)
      await recordEnd(tx, caller, sessionEvents.ended, await endSession(tx, { id: sessionId, userId: id }))
    })
  }

  /** Throws `not_found`, also for another user's session. */
  end(caller: Caller, userId: string, id: string): Promise<void> {
    return caller.transaction(async tx => {
      const [ended] = await endSession(tx, { id, userId })
      await recordEnd(tx, caller, sessionEvents.ended, [orNotFound(ended)])
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

/** Ends the sessions of a user except `except`, with their refresh and access tokens; null means no exception. */
export async function endSessionsOf(tx: Transaction, caller: Caller, userId: string, except: string | null) {
  await recordEnd(tx, caller, sessionEvents.ended, await endSessions(tx, { userId, except }))
}

type Ended = Awaited<ReturnType<typeof endSessions>>

async function recordEnd(tx: Transaction, caller: Caller, type: typeof sessionEvents.ended, ended: Ended) {
  if (ended.length === 0) return
  await record(tx, caller, type, ...ended)
  await announceEnded(tx, ended)
}
