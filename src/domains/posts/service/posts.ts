import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { type Caller, userIdOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { orNotFound, orPreconditionFailed, requireVersion } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { slugOf } from '../../../lib/slug.ts'
import { postErrors } from '../errors.ts'
import { postEvents } from '../events.ts'
import { publishScheduledPost } from '../jobs.ts'
import { deletePostRow, insertPost, isAhead, lockPost, setPostStatus, updatePostRow } from '../queries.ts'
import type { CreatePost, Post, UpdatePost } from '../schemas.ts'

/** Throws `post_slug_taken`. */
export const createPost = (caller: Caller, organizationId: string, { title, content, slug }: CreatePost) =>
  caller.transaction(async tx => {
    const id = newId()
    const row = { id, organizationId, authorId: userIdOf(caller), title, content }
    const post = orNotFound(await insertPost(tx, { ...row, slug: slug ?? slugOf(title, id, 'post') }))
    await record(tx, caller, postEvents.created, post)
    return post
  })

/** What a change names: the post, whether the caller may change posts of others, and the condition. */
export interface Change {
  id: string
  ofOthers: boolean
  ifMatch: number[] | null
}

/** Locks the post. Throws `not_found`, `post_of_somebody_else`. */
async function lockOwn(tx: Transaction, caller: Caller, { id, ofOthers }: Change) {
  const post = orNotFound(await lockPost(tx, { id }))
  const isAuthor = post.authorId !== null && post.authorId === userIdOf(caller)
  if (!isAuthor && !ofOthers) throw postErrors.post_of_somebody_else()
  return post
}

/** Throws `not_found`, `post_of_somebody_else`, `post_slug_taken`, `precondition_failed`. */
export const updatePost = (caller: Caller, change: Change, { title, content, slug }: UpdatePost) =>
  caller.transaction(async tx => {
    const { id, ifMatch } = change
    await lockOwn(tx, caller, change)
    const values = { title: title ?? null, content: content ?? null, slug: slug ?? null }
    const post = orPreconditionFailed(await updatePostRow(tx, { ...values, id, ifMatch }), ifMatch)
    await record(tx, caller, postEvents.updated, post)
    return post
  })

/** Throws `not_found`, `post_of_somebody_else`, `precondition_failed`. */
export const deletePost = (caller: Caller, change: Change) =>
  caller.transaction(async tx => {
    const { id, ifMatch } = change
    await lockOwn(tx, caller, change)
    const post = orPreconditionFailed(await deletePostRow(tx, { id, ifMatch }), ifMatch)
    await record(tx, caller, postEvents.deleted, post)
  })

const eventOf = {
  draft: postEvents.unpublished,
  scheduled: postEvents.scheduled,
  published: postEvents.published,
  archived: postEvents.archived,
}
type Status = Pick<Post, 'status' | 'publishAt'>

/** Sets the status; when it is already set, changes and records nothing. Throws as `deletePost`. */
async function setStatus(tx: Transaction, caller: Caller, change: Change, { status, publishAt }: Status) {
  const before = await lockOwn(tx, caller, change)
  requireVersion(before, change.ifMatch)
  if (before.status === status && before.publishAt === publishAt) return before
  const post = orNotFound(await setPostStatus(tx, { id: change.id, status, publishAt }))
  await record(tx, caller, eventOf[status], post)
  return post
}

const becoming = (status: Post['status']) => (caller: Caller, change: Change) =>
  caller.transaction(tx => setStatus(tx, caller, change, { status, publishAt: null }))

export const unpublishPost = becoming('draft')
export const archivePost = becoming('archived')

/** Publishes the post now, or by a job at `publishAt` if that lies ahead. Throws as `deletePost`. */
export const publishPost = (app: FastifyInstance, caller: Caller, change: Change, time: string | null) =>
  caller.transaction(async tx => {
    const isLater = time !== null && (await isAhead(tx, { time }))?.ahead
    if (!isLater) return setStatus(tx, caller, change, { status: 'published', publishAt: null })
    const post = await setStatus(tx, caller, change, { status: 'scheduled', publishAt: time })
    // The time of the row, which is rounded: a job that started before it would find the post not due.
    const startAfter = post.publishAt ?? time
    await app.jobs.enqueue(tx, publishScheduledPost, { postId: post.id }, caller.traceparent, { startAfter })
    return post
  })
