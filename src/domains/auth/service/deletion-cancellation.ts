import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { userEvents } from '../../users/events.ts'
import { cancelErasure } from '../../users/queries/erasure.ts'
import { notify } from './notices.ts'

/** Cancels the pending deletion of the account, if there is one: signing in means that the user wants to keep it. */
export async function cancelDeletion(app: FastifyInstance, tx: Transaction, caller: Caller, userId: string) {
  const user = await cancelErasure(tx, { id: userId })
  if (!user) return
  await record(tx, caller, userEvents.deletion_cancelled, user)
  await notify(app, tx, caller, user.email, 'deletion_cancelled')
}
