import { index, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { id, timestamps, version } from '../../database/columns.ts'
import { tasks } from '../tasks/tables.ts'

export const comments = pgTable(
  'comments',
  {
    id: id(),
    organizationId: uuid().notNull(),
    taskId: uuid()
      .notNull()
      .references(() => tasks.id, { onDelete: 'cascade' }),
    /** The author; null for an API key. */
    authorId: uuid(),
    body: text().notNull(),
    version: version(),
    ...timestamps(),
  },
  table => [
    index('comments_task_idx').on(table.taskId, table.id),
    index('comments_organization_idx').on(table.organizationId),
  ],
)
