import { index, pgTable, primaryKey, text, unique, uuid } from 'drizzle-orm/pg-core'
import { id, timestamps, version } from '../../database/columns.ts'
import { users } from '../users/tables.ts'

export const organizations = pgTable(
  'organizations',
  {
    id: id(),
    name: text().notNull(),
    slug: text().notNull(),
    version: version(),
    ...timestamps(),
  },
  table => [unique('organizations_slug_key').on(table.slug)],
)

export const members = pgTable(
  'members',
  {
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    userId: uuid()
      .notNull()
      .references(() => users.id, { onDelete: 'cascade' }),
    role: text().$type<'owner' | 'admin' | 'member' | 'viewer'>().notNull(),
    version: version(),
    ...timestamps(),
  },
  table => [
    primaryKey({ name: 'members_pkey', columns: [table.organizationId, table.userId] }),
    index('members_user_idx').on(table.userId),
  ],
)
