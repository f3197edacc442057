import { sql } from 'drizzle-orm'
import { check, index, pgTable, unique, uuid } from 'drizzle-orm/pg-core'
import { id, timestamps, version } from '../../database/columns.ts'
import { files } from '../files/tables.ts'
import { posts } from '../posts/tables.ts'
import { messages } from '../rooms/tables.ts'
import { tasks } from '../tasks/tables.ts'

export const attachments = pgTable(
  'attachments',
  {
    id: id(),
    organizationId: uuid().notNull(),
    fileId: uuid()
      .notNull()
      .references(() => files.id, { onDelete: 'cascade' }),
    /** One of these three is set. */
    taskId: uuid().references(() => tasks.id, { onDelete: 'cascade' }),
    postId: uuid().references(() => posts.id, { onDelete: 'cascade' }),
    messageId: uuid().references(() => messages.id, { onDelete: 'cascade' }),
    createdBy: uuid(),
    version: version(),
    ...timestamps(),
  },
  table => [
    unique('attachments_task_key').on(table.taskId, table.fileId),
    unique('attachments_post_key').on(table.postId, table.fileId),
    unique('attachments_message_key').on(table.messageId, table.fileId),
    index('attachments_file_idx').on(table.fileId),
    index('attachments_organization_idx').on(table.organizationId),
    check('attachments_one_place', sql`num_nonnulls(${table.taskId}, ${table.postId}, ${table.messageId}) = 1`),
  ],
)
