import type { Transaction } from '../../database/client.ts'
import type { Caller } from '../../events/caller.ts'
import { record } from '../../events/record.ts'
import { demoId } from '../../lib/demo.ts'
import { orNotFound } from '../../lib/errors.ts'
import { demoOrganizationId } from '../organizations/demo.ts'
import { demoPostId } from '../posts/demo.ts'
import { demoTaskId } from '../tasks/demo.ts'
import { demoUserId } from '../users/demo.ts'
import { commentEvents } from './events.ts'
import { insertComment } from './queries.ts'

export const demoCommentId = demoId(50)

export async function insertDemoComment(tx: Transaction, caller: Caller): Promise<void> {
  const shared = { organizationId: demoOrganizationId, authorId: demoUserId }
  const comments = [
    { ...shared, id: demoCommentId, taskId: demoTaskId, postId: null, body: 'Looks good to me.' },
    { ...shared, id: demoId(51), taskId: null, postId: demoPostId, body: 'See you there.' },
  ]
  for (const comment of comments)
    await record(tx, caller, commentEvents.created, orNotFound(await insertComment(tx, comment)))
}
