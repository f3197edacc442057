import type { FastifyInstance } from 'fastify'
import { type Caller, onBehalfOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { newId } from '../../../lib/ids.ts'
import { userEvents } from '../../users/events.ts'
import { insertOrFindUser, verifyUserEmail } from '../../users/queries/users.ts'
import type { User } from '../../users/schemas.ts'
import { sendRegistrationMail } from '../jobs.ts'
import type { Register } from '../schemas/registration.ts'
import { hashPassword, refuseWeak } from './passwords.ts'
import { BEGUN, redeemToken, revokeLinks } from './tokens.ts'

/**
 * Creates an account. For an address that has one, it does the same work and returns the same response; only the mail
 * differs. Throws `validation_failed` for a weak password, and `rate_limited`.
 */
export async function register(
  app: FastifyInstance,
  caller: Caller,
  { email, password, name }: Register,
): Promise<User> {
  refuseWeak(password, 'password')
  await app.limitMails(email)
  const account = { id: newId(), email: email.toLowerCase(), name }
  const passwordHash = await hashPassword(password)
  return caller.transaction(async tx => {
    const user = await insertOrFindUser(tx, { ...account, passwordHash })
    if (user?.inserted) await record(tx, onBehalfOf(caller, user.id), userEvents.registered, user)
    else if (user) await record(tx, caller, userEvents.registration_repeated, user)
    await app.jobs.enqueue(tx, sendRegistrationMail, { email: account.email }, caller.traceparent)
    return user?.inserted ? user : unremarkable(account)
  })
}

function unremarkable(account: Pick<User, 'id' | 'email' | 'name'>): User {
  const now = new Date().toISOString()
  return { ...account, role: 'user', status: 'active', emailVerifiedAt: null, createdAt: now, updatedAt: now }
}

/**
 * Enqueues the mail without looking the address up, so that known and unknown addresses take the same time. Throws
 * `rate_limited`.
 */
export async function resendVerification(app: FastifyInstance, caller: Caller, email: string): Promise<void> {
  await app.limitMails(email)
  await caller.transaction(tx =>
    app.jobs.enqueue(tx, sendRegistrationMail, { email: email.toLowerCase() }, caller.traceparent),
  )
}

/**
 * Verifies the address and cancels flows that were started before, since the owner of the address may not have started
 * them. Throws `token_invalid`.
 */
export const verifyEmail = (caller: Caller, token: string): Promise<void> =>
  caller.transaction(async tx => {
    const { user } = await redeemToken(tx, token, 'verify_email')
    const verified = await verifyUserEmail(tx, { id: user.id })
    await record(tx, onBehalfOf(caller, user.id), userEvents.email_verified, ...verified)
    await revokeLinks(tx, user.id, BEGUN)
  })
