import type { FastifyInstance } from 'fastify'
import { type Caller, onBehalfOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { sha256 } from '../../../lib/crypto.ts'
import { newId } from '../../../lib/ids.ts'
import { userEvents } from '../../users/events.ts'
import { insertUser, verifyUserEmail } from '../../users/queries.ts'
import type { User } from '../../users/schemas.ts'
import { authErrors } from '../errors.ts'
import { sendRegistrationMail } from '../jobs.ts'
import { takeToken } from '../queries/tokens.ts'
import type { Register } from '../schemas/registration.ts'
import { hashPassword } from './passwords.ts'

/**
 * A new account, or the same answer for an address that has one: only the mail differs.
 */
export async function register(
  app: FastifyInstance,
  caller: Caller,
  { email, password, name }: Register,
): Promise<User> {
  const account = { id: newId(), email: email.toLowerCase(), name }
  const passwordHash = await hashPassword(password)
  return caller.transaction(async tx => {
    const inserted = await insertUser(tx, { ...account, passwordHash })
    if (inserted) await record(tx, onBehalfOf(caller, account.id), userEvents.registered, inserted)
    await app.jobs.enqueue(tx, sendRegistrationMail, { email: account.email }, caller.traceparent)
    return inserted ?? unremarkable(account)
  })
}

function unremarkable(account: Pick<User, 'id' | 'email' | 'name'>): User {
  const now = new Date().toISOString()
  return { ...account, role: 'user', status: 'active', emailVerifiedAt: null, createdAt: now, updatedAt: now }
}

export const resendVerification = (app: FastifyInstance, caller: Caller, email: string): Promise<void> =>
  caller.transaction(tx =>
    app.jobs.enqueue(tx, sendRegistrationMail, { email: email.toLowerCase() }, caller.traceparent),
  )

/** Throws `token_invalid`. */
export const verifyEmail = (caller: Caller, token: string): Promise<void> =>
  caller.transaction(async tx => {
    const taken = await takeToken(tx, { hash: sha256(token), purpose: 'verify_email' })
    const userId = taken?.userId
    if (!userId) throw authErrors.token_invalid()
    const verified = await verifyUserEmail(tx, { id: userId })
    await record(tx, onBehalfOf(caller, userId), userEvents.email_verified, ...verified)
  })
