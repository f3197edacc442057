import type { FastifyInstance } from 'fastify'
import { type Caller, onBehalfOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { sha256 } from '../../../lib/crypto.ts'
import { userEvents } from '../../users/events.ts'
import { setPassword } from '../../users/queries/passwords.ts'
import { verifyUserEmail } from '../../users/queries/users.ts'
import { authErrors } from '../errors.ts'
import { sendPasswordResetMail } from '../jobs.ts'
import { findToken } from '../queries/tokens.ts'
import type { ResetPassword } from '../schemas/passwords.ts'
import { notify } from './notices.ts'
import { hashPassword, refuseWeak } from './passwords.ts'
import { endSessionsOf } from './sessions.ts'
import { redeemToken, revokeLinks } from './tokens.ts'

/**
 * Enqueues the mail without looking the address up, so that known and unknown addresses take the same time. Throws
 * `rate_limited`.
 */
export async function forgotPassword(app: FastifyInstance, caller: Caller, email: string): Promise<void> {
  await app.limitMails(email)
  const { address, userAgent, requestId, traceparent } = caller
  const payload = { email: email.toLowerCase(), origin: { address, userAgent, requestId } }
  await caller.transaction(tx => app.jobs.enqueue(tx, sendPasswordResetMail, payload, traceparent))
}

/**
 * Sets the password and ends every session and link of the account. It also verifies the address, since its mail was
 * read. Throws `token_invalid`, and `validation_failed` for a weak password, which does not consume the token.
 */
export async function resetPassword(app: FastifyInstance, caller: Caller, { token, password }: ResetPassword) {
  refuseWeak(password, 'password')
  // A guessed token is refused before the expensive hash.
  const known = await findToken(app.database, { hash: sha256(token) })
  if (known?.purpose !== 'reset_password') throw authErrors.token_invalid()
  const passwordHash = await hashPassword(password)
  await caller.transaction(async tx => {
    const { user } = await redeemToken(tx, token, 'reset_password')
    const owner = onBehalfOf(caller, user.id)
    await record(tx, owner, userEvents.password_reset, ...(await setPassword(tx, { id: user.id, passwordHash })))
    if (user.emailVerifiedAt === null)
      await record(tx, owner, userEvents.email_verified, ...(await verifyUserEmail(tx, { id: user.id })))
    await revokeLinks(tx, user.id)
    await endSessionsOf(tx, owner, user.id, null)
    await notify(app, tx, owner, user.email, 'password_changed')
  })
}
