import { and, eq, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { folded } from '../../database/columns.ts'
import { defineList } from '../../database/list.ts'
import { one, type Params, statement } from '../../database/statement.ts'
import { touched, versionMatches } from '../../database/versions.ts'
import type { Principal } from '../../lib/access.ts'
import { hasRole } from '../organizations/queries/access.ts'
import { members, organizations } from '../organizations/tables.ts'
import { users } from '../users/tables.ts'
import { Post, type PostFilters } from './schemas.ts'
import { posts } from './tables.ts'

export type PostRow = Post & { version: number }

const columns = sql`p.id, p.organization_id, p.author_id, p.title, p.content, p.slug, p.status, p.publish_at,
  p.published_at, p.version, p.created_at, p.updated_at`

/** The condition that the principal may read the post `p`: a viewer reads only what is published. */
export const isReadable = (principal: Record<keyof Principal, SQLWrapper>): SQL =>
  sql`(${hasRole(sql`p.organization_id`, principal, 'member')}
    or (p.status = 'published' and ${hasRole(sql`p.organization_id`, principal, 'viewer')}))`

/** Undefined when the post is missing or the principal may not read it. */
export const findPost = one(
  statement(
    'posts.find',
    (_, $: Params<Principal & { id: string }>) => sql<PostRow>`
      select ${columns} from ${posts} p where p.id = ${$.id} and ${isReadable($)}`,
  ),
)

/** Finds a post for callers whose right to read it is decided apart. */
export const findPostOfAnyone = one(
  statement(
    'posts.find_of_anyone',
    (_, $: Params<{ id: string }>) => sql<PostRow>`select ${columns} from ${posts} p where p.id = ${$.id}`,
  ),
)

/** Finds those of the posts that the principal may read. */
export const readPosts = statement(
  'posts.readable',
  (_, $: Params<Principal & { ids: string[] }>) => sql<PostRow>`
    select ${columns} from ${posts} p where p.id = any(${$.ids}::uuid[]) and ${isReadable($)}`,
)

/** Locks the post until the commit, so that the caller's right to change it still holds then. */
export const lockPost = one(
  statement(
    'posts.lock',
    (_, $: Params<{ id: string }>) => sql<PostRow>`select ${columns} from ${posts} p where p.id = ${$.id} for update`,
  ),
)

type NewPost = Pick<Post, 'id' | 'organizationId' | 'authorId' | 'title' | 'content' | 'slug'>

export const insertPost = one(
  statement(
    'posts.insert',
    (_, $: Params<NewPost>) => sql<PostRow>`
      insert into ${posts} as p (id, organization_id, author_id, title, content, slug)
      values (${$.id}, ${$.organizationId}, ${$.authorId}, ${$.title}, ${$.content}, ${$.slug}) returning ${columns}`,
  ),
)

type Key = { id: string; ifMatch: number[] | null }
const present = ($: Params<Key>) => and(eq(posts.id, $.id), versionMatches(posts.version, $.ifMatch))
type Text = Record<'title' | 'content' | 'slug', string | null>

/** Null leaves a column unchanged. */
export const updatePostRow = one(
  statement('posts.update', (db, $: Params<Key & Text>) =>
    db
      .update(posts)
      .set({
        title: sql`coalesce(${$.title}, ${posts.title})`,
        content: sql`coalesce(${$.content}, ${posts.content})`,
        slug: sql`coalesce(${$.slug}, ${posts.slug})`,
        ...touched(posts),
      })
      .where(present($))
      .returning(),
  ),
)

/** Sets the status and what follows from it: when it was published, and when it will be. */
export const setPostStatus = one(
  statement('posts.set_status', (db, $: Params<{ id: string; status: Post['status']; publishAt: string | null }>) =>
    db
      .update(posts)
      .set({
        status: sql`${$.status}`,
        publishAt: sql`${$.publishAt}`,
        publishedAt: sql`case ${$.status}::text when 'published' then now() when 'archived' then ${posts.publishedAt} end`,
        ...touched(posts),
      })
      .where(eq(posts.id, $.id))
      .returning(),
  ),
)

/** Publishes a post whose time has come; undefined when it is gone, is no longer scheduled, or has a later time. */
export const publishDuePost = one(
  statement('posts.publish_due', (db, $: Params<{ id: string }>) =>
    db
      .update(posts)
      .set({ status: 'published', publishAt: null, publishedAt: sql`now()`, ...touched(posts) })
      .where(and(eq(posts.id, $.id), eq(posts.status, 'scheduled'), sql`${posts.publishAt} <= now()`))
      .returning(),
  ),
)

export const deletePostRow = one(
  statement('posts.delete', (db, $: Params<Key>) => db.delete(posts).where(present($)).returning()),
)

/** Whether a time lies ahead by the clock of the database, which is also that of the jobs. */
export const isAhead = one(
  statement(
    'posts.is_ahead',
    (_, $: Params<{ time: string }>) => sql<{ ahead: boolean }>`select ${$.time}::timestamptz > now() as ahead`,
  ),
)

/** The same expressions as in the indexes. */
const document = sql`to_tsvector('simple', ${folded(sql`(p.title || ' ' || p.content)`)})`
const published = sql`coalesce(p.published_at, 'infinity')`
const byId = { on: sql`p.id`, key: 'id', type: 'uuid' } as const

const shared = {
  item: Post,
  columns,
  from: sql`${posts} p`,
  id: byId,
  sorts: { createdAt: byId, publishedAt: { on: published, key: 'publishedAt', type: 'timestamptz' } },
  defaultSort: '-createdAt',
} as const

type UserPostFilters = Omit<PostFilters, 'authorId'>

const filters = {
  status: ($: Params<UserPostFilters>) => sql`p.status = ${$.status}`,
  search: ($: Params<UserPostFilters>) =>
    sql`${document} @@ websearch_to_tsquery('simple', ${folded(sql`${$.search}::text`)})`,
}

/** Lists the posts of an organization; undefined when it is missing or the caller may not read it. */
export const listOrganizationPosts = defineList<Post, { organizationId: string }, PostFilters, Principal>({
  ...shared,
  name: 'posts.of_organization',
  filters: { ...filters, authorId: $ => sql`p.author_id = ${$.authorId}` },
  where: $ => sql`p.organization_id = ${$.organizationId} and ${isReadable($)}`,
  parent: $ => sql`(
    select from ${organizations} o where o.id = ${$.organizationId} and ${hasRole(sql`o.id`, $, 'viewer')}) visible`,
})

/**
 * Lists the posts of a user in all organizations of the caller; undefined for a user with whom the caller has no
 * organization in common.
 */
export const listUserPosts = defineList<Post, { authorId: string }, UserPostFilters, Principal>({
  ...shared,
  name: 'posts.of_user',
  filters,
  where: $ => sql`p.author_id = ${$.authorId} and ${isReadable($)}`,
  parent: $ => sql`(
    select from ${users} u where u.id = ${$.authorId} and (u.id = ${$.principalId}::uuid or exists (
      select from ${members} o where o.user_id = u.id and ${hasRole(sql`o.organization_id`, $, 'viewer')}))) visible`,
})
