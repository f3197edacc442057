import type { Transaction } from '../../../database/client.ts'
import { bySystem } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { postEvents } from '../events.ts'
import { publishDuePost } from '../queries.ts'

/** Publishes the post of a job, unless it is no longer scheduled or has a later time by now. */
export async function publishDue(tx: Transaction, postId: string): Promise<void> {
  await tx.queue(postId)
  const post = await publishDuePost(tx, { id: postId })
  if (post) await record(tx, bySystem(tx), postEvents.published, post)
}
