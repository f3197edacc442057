import { index, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { id, isoTimestamp, timestamps, version } from '../../database/columns.ts'
import { organizations } from '../organizations/tables.ts'

export const projects = pgTable(
  'projects',
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    description: text(),
    status: text().$type<'active' | 'archived'>().notNull().default('active'),
    archivedAt: isoTimestamp(),
    createdBy: uuid(),
    version: version(),
    ...timestamps(),
  },
  table => [index('projects_organization_idx').on(table.organizationId, table.id)],
)
