import { type Caller, userIdOf } from '../../events/caller.ts'
import { record } from '../../events/record.ts'
import { orNotFound, orPreconditionFailed } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import { commentErrors } from './errors.ts'
import { commentEvents } from './events.ts'
import { deleteCommentRow, insertComment, lockComment, updateCommentRow } from './queries.ts'

interface NewComment {
  organizationId: string
  /** What it is about: one of the two. */
  taskId?: string
  postId?: string
  body: string
}

export const createComment = (caller: Caller, { taskId, postId, ...given }: NewComment) =>
  caller.transaction(async tx => {
    const row = { ...given, id: newId(), taskId: taskId ?? null, postId: postId ?? null, authorId: userIdOf(caller) }
    const comment = orNotFound(await insertComment(tx, row))
    await record(tx, caller, commentEvents.created, comment)
    return comment
  })

/** Throws `not_found`, `not_the_author`, `precondition_failed`. */
export const updateComment = (caller: Caller, id: string, body: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const { authorId } = orNotFound(await lockComment(tx, { id }))
    if (authorId === null || authorId !== userIdOf(caller)) throw commentErrors.not_the_author()
    const comment = orPreconditionFailed(await updateCommentRow(tx, { id, body, ifMatch }), ifMatch)
    await record(tx, caller, commentEvents.updated, comment)
    return comment
  })

/** `moderates`: whether the caller may delete comments of others. Throws as `updateComment`. */
export const deleteComment = (caller: Caller, id: string, moderates: boolean, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const { authorId } = orNotFound(await lockComment(tx, { id }))
    const isAuthor = authorId !== null && authorId === userIdOf(caller)
    if (!isAuthor && !moderates) throw commentErrors.not_the_author()
    const comment = orPreconditionFailed(await deleteCommentRow(tx, { id, ifMatch }), ifMatch)
    await record(tx, caller, commentEvents.deleted, comment)
  })
