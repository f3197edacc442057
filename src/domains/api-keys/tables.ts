import { index, integer, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core'
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
    /** SHA-256 of the secret; the secret itself is not stored. */
    hash: bytes().notNull(),
    /** The last four characters of the secret, to tell keys apart. */
    hint: text().notNull(),
    scopes: text().array().notNull(),
    expiresAt: isoTimestamp(),
    /** The hash of the secret before the last rotation, valid until `previousExpiresAt`. */
    previousHash: bytes(),
    previousExpiresAt: isoTimestamp(),
    /** Requests per minute; null means the general limit of a principal. */
    rateLimit: integer(),
    /** Written at most once a minute. */
    lastUsedAt: isoTimestamp(),
    createdBy: uuid(),
    version: version(),
    ...timestamps(),
  },
  table => [
    unique('api_keys_hash_key').on(table.hash),
    unique('api_keys_previous_hash_key').on(table.previousHash),
    index('api_keys_organization_idx').on(table.organizationId, table.id),
  ],
)
