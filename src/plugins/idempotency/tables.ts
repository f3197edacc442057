import { sql } from 'drizzle-orm'
import { index, integer, pgTable, text } from 'drizzle-orm/pg-core'
import { bytes, isoTimestamp } from '../../database/columns.ts'

/** The responses stored for idempotency keys; `id` is the hash of tenant, principal and key. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    id: bytes().primaryKey(),
    fingerprint: bytes().notNull(),
    status: integer().notNull(),
    /** Null when the response contained a secret, which is never stored. */
    body: text(),
    location: text(),
    etag: text(),
    createdAt: isoTimestamp().notNull().default(sql`now()`),
  },
  table => [index('idempotency_keys_created_idx').on(table.createdAt)],
)
