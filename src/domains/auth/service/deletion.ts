import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { orNotFound, requireVersion } from '../../../lib/errors.ts'
import { userEvents } from '../../users/events.ts'
import { scheduleErasure } from '../../users/queries/erasure.ts'
import { lockUser } from '../../users/queries/users.ts'
import type { AccountDeletion } from '../schemas/deletion.ts'
import { GRACE_DAYS } from './letters.ts'
import { notify } from './notices.ts'
import { endSessionsOf } from './sessions.ts'

/**
 * Ends every session now and schedules the erasure of the account after a grace period. Throws `not_found`, the
 * objections of other domains, `precondition_failed`.
 */
export const deleteAccount = (
  app: FastifyInstance,
  caller: Caller,
  userId: string,
  ifMatch: number[] | null,
): Promise<AccountDeletion> =>
  caller.transaction(async tx => {
    // These checks come first, because they lock rows, also of other users, in their own order.
    await app.accounts.checkDeletion(tx, userId)
    const user = orNotFound(await lockUser(tx, { id: userId }))
    requireVersion(user, ifMatch)
    if (user.eraseAt !== null) return { eraseAt: user.eraseAt }
    const [scheduled] = await scheduleErasure(tx, { id: userId, days: GRACE_DAYS })
    await record(tx, caller, userEvents.deletion_requested, user)
    await endSessionsOf(tx, caller, userId, null)
    await notify(app, tx, caller, user.email, 'deletion_requested')
    return { eraseAt: scheduled?.eraseAt as string }
  })
