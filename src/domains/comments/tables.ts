import { sql } from 'drizzle-orm'
import { check, index, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { id, timestamps, version } from '../../database/columns.ts'
import { posts } from '../posts/tables.ts'
import { tasks } from '../tasks/tables.ts'

export const comments = pgTable(
  'comments',
  {
    id: id(),
    organizationId: uuid().notNull(),
    /** Either this or `postId` is set. */
    taskId: uuid().references(() => tasks.id, { onDelete: 'cascade' }),
    postId: uuid().references(() => posts.id, { onDelete: 'cascade' }),
    /** The author; null for an API key. */
    authorId: uuid(),
    body: text().notNull(),
    version: version(),
    ...timestamps(),
  },
  table => [
    index('comments_task_idx').on(table.taskId, table.id),
    index('comments_post_idx').on(table.postId, table.id).where(sql`${table.postId} is not null`),
    index('comments_organization_idx').on(table.organizationId),
    check('comments_one_parent', sql`num_nonnulls(${table.taskId}, ${table.postId}) = 1`),
  ],
)
