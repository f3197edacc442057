import type { Transaction } from '../../database/client.ts'
import type { Caller } from '../../events/caller.ts'
import { record } from '../../events/record.ts'
import { demoId } from '../../lib/demo.ts'
import { orNotFound } from '../../lib/errors.ts'
import { demoFileId } from '../files/demo.ts'
import { demoOrganizationId } from '../organizations/demo.ts'
import { demoPostId } from '../posts/demo.ts'
import { demoMessageId } from '../rooms/demo.ts'
import { demoTaskId } from '../tasks/demo.ts'
import { demoUserId } from '../users/demo.ts'
import { attachmentEvents } from './events.ts'
import { insertAttachment } from './queries.ts'

export const demoAttachmentId = demoId(71)

export async function insertDemoAttachments(tx: Transaction, caller: Caller): Promise<void> {
  const shared = { organizationId: demoOrganizationId, fileId: demoFileId, createdBy: demoUserId }
  const nowhere = { taskId: null, postId: null, messageId: null }
  const attachments = [
    { ...shared, ...nowhere, id: demoAttachmentId, taskId: demoTaskId },
    { ...shared, ...nowhere, id: demoId(72), postId: demoPostId },
    { ...shared, ...nowhere, id: demoId(73), messageId: demoMessageId },
  ]
  for (const attachment of attachments)
    await record(tx, caller, attachmentEvents.created, orNotFound(await insertAttachment(tx, attachment)))
}
