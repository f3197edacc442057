import { and, eq, sql } from 'drizzle-orm'
import { defineList } from '../../database/list.ts'
import { one, type Params, statement } from '../../database/statement.ts'
import { touched, versionMatches } from '../../database/versions.ts'
import type { Principal } from '../../lib/access.ts'
import { hasRole } from '../organizations/queries/access.ts'
import { isReadable } from '../posts/queries.ts'
import { posts } from '../posts/tables.ts'
import { tasks } from '../tasks/tables.ts'
import { Comment } from './schemas.ts'
import { comments } from './tables.ts'

type CommentRow = Comment & { version: number }

interface NewComment {
  id: string
  organizationId: string
  taskId: string | null
  postId: string | null
  authorId: string | null
  body: string
}

export const insertComment = one(
  statement(
    'comments.insert',
    (_, $: Params<NewComment>) => sql<CommentRow>`
      insert into ${comments} (id, organization_id, task_id, post_id, author_id, body)
      values (${$.id}, ${$.organizationId}, ${$.taskId}, ${$.postId}, ${$.authorId}, ${$.body}) returning *`,
  ),
)

type Key = { id: string; ifMatch: number[] | null }
const present = ($: Params<Key>) => and(eq(comments.id, $.id), versionMatches(comments.version, $.ifMatch))

/** The condition that the comment is not about a post that the principal may not read. */
const isOfReadable = ($: Params<Principal>) =>
  sql`(${comments.postId} is null or exists (
    select from ${posts} p where p.id = ${comments.postId} and ${isReadable($)}))`

/** Undefined when the comment is missing, or is about a post that the principal may not read. */
export const findComment = one(
  statement('comments.find', (db, $: Params<Principal & { id: string }>) =>
    db
      .select()
      .from(comments)
      .where(and(eq(comments.id, $.id), isOfReadable($))),
  ),
)

/** Finds those of the comments whose task or post the principal may read. */
export const readComments = statement('comments.readable', (db, $: Params<Principal & { ids: string[] }>) =>
  db
    .select()
    .from(comments)
    .where(
      and(sql`${comments.id} = any(${$.ids}::uuid[])`, hasRole(comments.organizationId, $, 'viewer'), isOfReadable($)),
    ),
)

/** Locks the row until the commit, so that the caller's right to change it still holds then. */
export const lockComment = one(
  statement('comments.lock', (db, $: Params<{ id: string }>) =>
    db.select().from(comments).where(eq(comments.id, $.id)).for('update'),
  ),
)

export const updateCommentRow = one(
  statement('comments.update', (db, $: Params<Key & { body: string }>) =>
    db
      .update(comments)
      .set({ body: sql`${$.body}`, ...touched(comments) })
      .where(present($))
      .returning(),
  ),
)

export const deleteCommentRow = one(
  statement('comments.delete', (db, $: Params<Key>) => db.delete(comments).where(present($)).returning()),
)

const byId = { on: comments.id, key: 'id', type: 'uuid' } as const

const shared = {
  item: Comment,
  columns: sql`id, organization_id, task_id, post_id, author_id, body, version, created_at, updated_at`,
  from: sql`${comments}`,
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: 'createdAt',
} as const

/** Lists the comments of a task; undefined when the task is missing or the caller may not read it. */
export const listTaskComments = defineList<Comment, { taskId: string }, object, Principal>({
  ...shared,
  name: 'comments.of_task',
  where: $ => sql`${comments.taskId} = ${$.taskId}`,
  parent: $ => sql`(
    select from ${tasks} t where t.id = ${$.taskId} and ${hasRole(sql`t.organization_id`, $, 'viewer')}) visible`,
})

/** Lists the comments of a post; undefined when the post is missing or the caller may not read it. */
export const listPostComments = defineList<Comment, { postId: string }, object, Principal>({
  ...shared,
  name: 'comments.of_post',
  where: $ => sql`${comments.postId} = ${$.postId}`,
  parent: $ => sql`(select from ${posts} p where p.id = ${$.postId} and ${isReadable($)}) visible`,
})
