import type { Transaction } from '../../../database/client.ts'
import { type Caller, userIdOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { invalid, orNotFound, orPreconditionFailed, requireVersion } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { roomErrors } from '../errors.ts'
import { messageEvents } from '../events.ts'
import {
  countReactions,
  deleteMessageRow,
  deleteReaction,
  findMessage,
  insertMessage,
  insertReaction,
  lockMessage,
  type MessageRow,
  updateMessageRow,
} from '../queries/messages.ts'
import { findRoomMember, findRoomOf } from '../queries/rooms.ts'
import type { CreateMessage } from '../schemas.ts'

const MAX_KINDS = 20

/**
 * Writers of one room queue for it, so the log has the changes of a room in the order of their commits, and new messages in
 * that of `sequence`. With a `clientId` that the room knows, returns that message. Throws
 * `not_found`, `not_in_room`, `client_id_reused`, and `validation_failed` when the room has no message `replyToId`.
 */
export const createMessage = (caller: Caller, roomId: string, { body, replyToId = null, clientId }: CreateMessage) =>
  caller.transaction(async tx => {
    const authorId = userIdOf(caller)
    await tx.queue(roomId)
    const { organizationId, joined } = orNotFound(await findRoomOf(tx, { id: roomId, userId: authorId }))
    if (authorId !== null && !joined) throw roomErrors.not_in_room()
    const given = { authorId, replyToId, clientId: clientId ?? null, body }
    const row = { id: newId(), organizationId, roomId, ...given }
    const { isNew, ...message } = orNotFound(await insertMessage(tx, row))
    if (!isNew && !isSame(message, given)) throw roomErrors.client_id_reused()
    if (message.replyToId !== replyToId && isNew) throw invalid('#/replyToId', 'is not a message of the room')
    if (isNew) await record(tx, caller, messageEvents.created, message)
    return message
  })

/** Whether it is what was sent before; since then it may have been edited, and what it answers deleted. */
const isSame = (
  stored: MessageRow,
  { authorId, body, replyToId }: Pick<MessageRow, 'authorId' | 'body' | 'replyToId'>,
) =>
  stored.authorId === authorId &&
  (stored.editedAt !== null || stored.body === body) &&
  (stored.replyToId === null || stored.replyToId === replyToId)

const lockInOrder = async (tx: Transaction, id: string) => {
  const { roomId } = orNotFound(await findMessage(tx, { id }))
  await tx.queue(roomId)
  return lockMessage(tx, { id })
}

/** Throws `not_found`, `not_the_writer`, `precondition_failed`. */
export const updateMessage = (caller: Caller, id: string, body: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const { authorId } = orNotFound(await lockInOrder(tx, id))
    if (authorId === null || authorId !== userIdOf(caller)) throw roomErrors.not_the_writer()
    const message = orPreconditionFailed(await updateMessageRow(tx, { id, body, ifMatch }), ifMatch)
    await record(tx, caller, messageEvents.updated, message)
    return message
  })

/** `moderates`: whether the caller may delete messages of others. Throws as `updateMessage`. */
export const deleteMessage = (caller: Caller, id: string, moderates: boolean, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const { authorId } = orNotFound(await lockInOrder(tx, id))
    const isAuthor = authorId !== null && authorId === userIdOf(caller)
    if (!isAuthor && !moderates) throw roomErrors.not_the_writer()
    const message = orPreconditionFailed(await deleteMessageRow(tx, { id, ifMatch }), ifMatch)
    await record(tx, caller, messageEvents.deleted, message)
  })

interface Reacting {
  id: string
  userId: string
  emoji: string
}

/** Changes and records nothing when `change` does not. Throws `not_found`, `not_in_room`, `precondition_failed`. */
const reacting =
  (change: (tx: Transaction, message: MessageRow, given: Reacting) => Promise<unknown>) =>
  (caller: Caller, given: Reacting, ifMatch: number[] | null) =>
    caller.transaction(async tx => {
      const before = orNotFound(await lockInOrder(tx, given.id))
      requireVersion(before, ifMatch)
      if (!(await findRoomMember(tx, { roomId: before.roomId, userId: given.userId }))) throw roomErrors.not_in_room()
      if (!(await change(tx, before, given))) return before
      const message = orNotFound(await countReactions(tx, { id: given.id }))
      if (message.reactions.length > MAX_KINDS) throw roomErrors.too_many_reactions()
      await record(tx, caller, messageEvents.reacted, message)
      return message
    })

/** Throws also `too_many_reactions`. */
export const addReaction = reacting((tx, { id, organizationId }, { userId, emoji }) =>
  insertReaction(tx, { messageId: id, organizationId, userId, emoji }),
)
export const removeReaction = reacting((tx, { id }, { userId, emoji }) =>
  deleteReaction(tx, { messageId: id, userId, emoji }),
)
