import { index, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core'
import { bytes, id, isoTimestamp, timestamps, version } from '../../database/columns.ts'
import { organizations } from '../organizations/tables.ts'

export const apiKeys = pgTable(
  'api_keys',
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    /** SHA-256 of the key, which itself is stored nowhere. */
    hash: bytes().notNull(),
    /** The last four characters, to tell keys apart. */
    hint: text().notNull(),
    scopes: text().array().notNull(),
    expiresAt: isoTimestamp(),
    createdBy: uuid(),
    version: version(),
    ...timestamps(),
  },
  table => [
    unique('api_keys_hash_key').on(table.hash),
    index('api_keys_organization_idx').on(table.organizationId, table.id),
  ],
)
