import { type Caller, userIdOf } from '../../events/caller.ts'
import { record } from '../../events/record.ts'
import { invalid, orPreconditionFailed } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import { attachmentErrors } from './errors.ts'
import { attachmentEvents } from './events.ts'
import { deleteAttachmentRow, hasFile, insertAttachment } from './queries.ts'

interface Given {
  organizationId: string
  fileId: string
  /** Where it is attached: one of the three. */
  taskId?: string
  postId?: string
  messageId?: string
}

/** Throws `already_attached`, and `validation_failed` for a file that the organization does not have. */
export const createAttachment = (caller: Caller, { taskId, postId, messageId, ...given }: Given) =>
  caller.transaction(async tx => {
    const place = { taskId: taskId ?? null, postId: postId ?? null, messageId: messageId ?? null }
    const row = { id: newId(), ...given, ...place, createdBy: userIdOf(caller) }
    const attachment = await insertAttachment(tx, row)
    if (attachment) {
      await record(tx, caller, attachmentEvents.created, attachment)
      return attachment
    }
    if (await hasFile(tx, given)) throw attachmentErrors.already_attached()
    throw invalid('#/fileId', 'is not a file of the organization')
  })

/** The file stays. Throws `not_found`, `precondition_failed`. */
export const deleteAttachment = (caller: Caller, id: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const attachment = orPreconditionFailed(await deleteAttachmentRow(tx, { id, ifMatch }), ifMatch)
    await record(tx, caller, attachmentEvents.deleted, attachment)
  })
