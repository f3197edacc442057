import { type Caller, userIdOf } from '../../events/caller.ts'
import { record } from '../../events/record.ts'
import { found, matched } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import { commentErrors } from './errors.ts'
import { commentEvents } from './events.ts'
import { deleteComment, insertComment, lockComment, updateComment } from './queries.ts'

export const createComment = (caller: Caller, organizationId: string, taskId: string, body: string) =>
  caller.transaction(async tx => {
    const row = { id: newId(), organizationId, taskId, authorId: userIdOf(caller), body }
    const comment = found(await insertComment(tx, row))
    await record(tx, caller, commentEvents.created, comment)
    return comment
  })

/** Throws `not_found`, `not_the_author`, `precondition_failed`. */
export const changeComment = (caller: Caller, id: string, body: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const { authorId } = found(await lockComment(tx, { id }))
    if (authorId === null || authorId !== userIdOf(caller)) throw commentErrors.not_the_author()
    const comment = matched(await updateComment(tx, { id, body, ifMatch }), ifMatch)
    await record(tx, caller, commentEvents.updated, comment)
    return comment
  })

/** `moderates`: whether the caller may remove what others wrote. Throws as `changeComment` does. */
export const removeComment = (caller: Caller, id: string, moderates: boolean, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const { authorId } = found(await lockComment(tx, { id }))
    const isAuthor = authorId !== null && authorId === userIdOf(caller)
    if (!isAuthor && !moderates) throw commentErrors.not_the_author()
    const comment = matched(await deleteComment(tx, { id, ifMatch }), ifMatch)
    await record(tx, caller, commentEvents.deleted, comment)
  })
