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
 * A new account, or the same answer after the same work for an address that has one: only the mail differs. Throws
 * `validation_failed` for a weak password, and `rate_limited`.
 */
export async function register(
  app: FastifyInstance,
  caller: Caller,
  { email, password, name }: Register,
): Promise<User> {
  refuseWeak(password, 'password')
  app.limitMails(email)
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

/** Looks nothing up: a known address costs what an unknown one does. Throws `rate_limited`. */
export async function resendVerification(app: FastifyInstance, caller: Caller, email: string): Promise<void> {
  app.limitMails(email)
  await caller.transaction(tx =>
    app.jobs.enqueue(tx, sendRegistrationMail, { email: email.toLowerCase() }, caller.traceparent),
  )
}

/** Ends what was begun before: that need not have been the owner of the address. Throws `token_invalid`. */
export const verifyEmail = (caller: Caller, token: string): Promise<void> =>
  caller.transaction(async tx => {
    const { user } = await redeemToken(tx, token, 'verify_email')
    const verified = await verifyUserEmail(tx, { id: user.id })
    await record(tx, onBehalfOf(caller, user.id), userEvents.email_verified, ...verified)
    await revokeLinks(tx, user.id, BEGUN)
  })
