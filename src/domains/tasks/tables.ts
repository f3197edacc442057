import { sql } from 'drizzle-orm'
import { index, pgTable, smallint, text, uuid } from 'drizzle-orm/pg-core'
import { folded, id, isoTimestamp, timestamps, version } from '../../database/columns.ts'
import { projects } from '../projects/tables.ts'
import { users } from '../users/tables.ts'

export const tasks = pgTable(
  'tasks',
  {
    id: id(),
    /**
     * The organization of the project, copied so that a membership check is one look-up. It is no foreign key, which
     * would make each insert slower.
     */
    organizationId: uuid().notNull(),
    projectId: uuid()
      .notNull()
      .references(() => projects.id, { onDelete: 'cascade' }),
    title: text().notNull(),
    description: text(),
    status: text().$type<'open' | 'in_progress' | 'done' | 'cancelled'>().notNull().default('open'),
    priority: smallint().notNull().default(0),
    assigneeId: uuid().references(() => users.id, { onDelete: 'set null' }),
    dueAt: isoTimestamp(),
    completedAt: isoTimestamp(),
    createdBy: uuid(),
    version: version(),
    ...timestamps(),
  },
  // One index for each sort of the lists of a project and of an organization; tasks without a due date sort last.
  table => [
    index('tasks_project_idx').on(table.projectId, table.id),
    index('tasks_project_updated_idx').on(table.projectId, table.updatedAt, table.id),
    index('tasks_project_due_idx').on(table.projectId, sql`coalesce(${table.dueAt}, 'infinity')`, table.id),
    index('tasks_project_priority_idx').on(table.projectId, table.priority, table.id),
    index('tasks_organization_idx').on(table.organizationId, table.id),
    index('tasks_organization_updated_idx').on(table.organizationId, table.updatedAt, table.id),
    index('tasks_organization_due_idx').on(table.organizationId, sql`coalesce(${table.dueAt}, 'infinity')`, table.id),
    index('tasks_organization_priority_idx').on(table.organizationId, table.priority, table.id),
    index('tasks_assignee_idx').on(table.assigneeId, table.id).where(sql`${table.assigneeId} is not null`),
    // For reminders: open tasks that somebody has to do by a time.
    index('tasks_due_idx')
      .on(table.dueAt)
      .where(sql`${table.assigneeId} is not null and ${table.status} in ('open', 'in_progress')`),
    index('tasks_search_idx').using(
      'gin',
      sql`to_tsvector('simple', ${folded(sql`(${table.title} || ' ' || coalesce(${table.description}, ''))`)})`,
    ),
  ],
)
