import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { bySystem } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { AppError } from '../../../lib/errors.ts'
import { userEvents } from '../../users/events.ts'
import { deleteUser, findDueErasures, lockDueErasure } from '../../users/queries/erasure.ts'
import { deleteExpiredEmailChanges } from '../queries/email-changes.ts'
import { deleteEndedSessions } from '../queries/sessions.ts'
import { deleteExpiredTokens } from '../queries/tokens.ts'

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
  if (!user) return
  await app.accounts.prepareErasure(tx, userId)
  await deleteUser(tx, { id: userId })
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

/** Deletes tokens, email changes and sessions that can no longer be used. */
export async function deleteExpired(tx: Transaction): Promise<void> {
  await deleteExpiredTokens(tx, {})
  await deleteExpiredEmailChanges(tx, {})
  await deleteEndedSessions(tx, { days: KEPT_DAYS })
}
