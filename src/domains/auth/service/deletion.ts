import type { FastifyInstance } from 'fastify'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { requestErrors, requireVersion } from '../../../lib/errors.ts'
import { userEvents } from '../../users/events.ts'
import { scheduleErasure } from '../../users/queries/erasure.ts'
import { lockUser } from '../../users/queries/users.ts'
import type { AccountDeletion } from '../schemas/deletion.ts'
import { GRACE_DAYS } from './letters.ts'
import { notify } from './notices.ts'
import { endSessionsOf } from './sessions.ts'

/** Ends every session now and the account after a grace period. Throws what other domains object, `precondition_failed`. */
export const deleteMe = (
  app: FastifyInstance,
  caller: Caller,
  userId: string,
  ifMatch: number[] | null,
): Promise<AccountDeletion> =>
  caller.transaction(async tx => {
    // First, since the checks lock what they look at, other users too, and in an order of their own.
    await app.accounts.checkDeletion(tx, userId)
    const user = await lockUser(tx, { id: userId })
    if (!user) throw requestErrors.unauthenticated()
    requireVersion(user, ifMatch)
    if (user.eraseAt !== null) return { eraseAt: user.eraseAt }
    const [scheduled] = await scheduleErasure(tx, { id: userId, days: GRACE_DAYS })
    await record(tx, caller, userEvents.deletion_requested, user)
    await endSessionsOf(tx, caller, userId, null)
    await notify(app, tx, caller, user.email, 'deletion_requested')
    return { eraseAt: scheduled?.eraseAt as string }
  })
