import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { bySystem } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { AppError } from '../../../lib/errors.ts'
import { userEvents } from '../../users/events.ts'
import { deleteUser, findDueErasures, lockDueErasure } from '../../users/queries/erasure.ts'
import type { User } from '../../users/schemas.ts'
import { deleteExpiredEmailChanges } from '../queries/email-changes.ts'
import { deleteEndedSessions } from '../queries/sessions.ts'
import { deleteExpiredTokens } from '../queries/tokens.ts'
import { lockUnverified } from '../queries/unverified.ts'

/** The link of the registration is good for a day; whoever comes later registers again. */
const UNVERIFIED_DAYS = 7
/** Accounts of one transaction: each takes several statements. */
const UNVERIFIED_BATCH = 100
/** Ended or expired sessions are kept this long, for investigations. */
const KEPT_DAYS = 30

export const dueAccounts = async (tx: Transaction): Promise<string[]> =>
  (await findDueErasures(tx, {})).map(({ id }) => id)

/**
 * Erases the account. Does nothing if its owner has signed in again; if another domain objects, the next run tries
 * again.
 */
export async function eraseAccount(app: FastifyInstance, tx: Transaction, userId: string): Promise<void> {
  if (!(await mayGo(app, tx, userId))) return
  const user = await lockDueErasure(tx, { id: userId })
  if (user) await erase(app, tx, user)
}

async function erase(app: FastifyInstance, tx: Transaction, user: Pick<User, 'id' | 'role' | 'status'>): Promise<void> {
  await app.accounts.prepareErasure(tx, user.id)
  await deleteUser(tx, { id: user.id })
  await record(tx, bySystem(tx), userEvents.erased, user)
}

const mayGo = (app: FastifyInstance, tx: Transaction, userId: string): Promise<boolean> =>
  app.accounts.checkDeletion(tx, userId).then(
    () => true,
    error => {
      if (error instanceof AppError && error.status === 409) return false
      throw error
    },
  )

/** Deletes a batch of tokens, email changes and sessions that can no longer be used; returns the size of the largest. */
export async function deleteExpired(tx: Transaction): Promise<number> {
  const tokens = await deleteExpiredTokens(tx, {})
  const changes = await deleteExpiredEmailChanges(tx, {})
  return Math.max(tokens, changes, await deleteEndedSessions(tx, { days: KEPT_DAYS }))
}

/** Erases accounts whose address nobody has confirmed in time, and in which nobody is signed in; returns whether there may be more. */
export async function eraseUnverified(app: FastifyInstance, tx: Transaction): Promise<boolean> {
  const due = await lockUnverified(tx, { days: UNVERIFIED_DAYS, limit: UNVERIFIED_BATCH })
  let erased = 0
  for (const user of due) {
    if (!(await mayGo(app, tx, user.id))) continue
    await erase(app, tx, user)
    erased++
  }
  return erased === UNVERIFIED_BATCH
}
