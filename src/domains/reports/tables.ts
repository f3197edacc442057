import { bigint, date, index, integer, pgTable, primaryKey, uuid } from 'drizzle-orm/pg-core'
import { isoTimestamp } from '../../database/columns.ts'
import { organizations } from '../organizations/tables.ts'
import { tasks } from '../tasks/tables.ts'
import { users } from '../users/tables.ts'

const key = () => ({
  organizationId: uuid()
    .notNull()
    .references(() => organizations.id, { onDelete: 'cascade' }),
  /** A day of UTC. */
  day: date().notNull(),
})
const count = () => bigint({ mode: 'number' }).notNull()

/** What an organization has used on each day that is over. */
export const usageDays = pgTable(
  'usage_days',
  {
    ...key(),
    activeUsers: integer().notNull(),
    tasksCreated: integer().notNull(),
    tasksCompleted: integer().notNull(),
    tokens: count(),
    storageBytes: count(),
  },
  table => [primaryKey({ columns: [table.organizationId, table.day] }), index('usage_days_day_idx').on(table.day)],
)

/** How many requests were made with the API keys of an organization. */
export const usageRequests = pgTable('usage_requests', { ...key(), requests: count() }, table => [
  primaryKey({ columns: [table.organizationId, table.day] }),
])

/** The last day, by the clock of the user, whose digest was sent. */
export const digests = pgTable('digests', {
  userId: uuid()
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' }),
  day: date().notNull(),
})

/** The due date of which the assignee of a task was reminded. */
export const taskReminders = pgTable('task_reminders', {
  taskId: uuid()
    .primaryKey()
    .references(() => tasks.id, { onDelete: 'cascade' }),
  dueAt: isoTimestamp().notNull(),
})
