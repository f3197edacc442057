import { sql } from 'drizzle-orm'
import { index, integer, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { bytes, id, isoTimestamp } from '../../database/columns.ts'
import { users } from '../users/tables.ts'

const userId = () =>
  uuid()
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' })

/** One row per signed-in device; its refresh tokens are derived from id and generation, none is stored. */
export const sessions = pgTable(
  'sessions',
  {
    id: id(),
    userId: userId(),
    generation: integer().notNull().default(0),
    address: text(),
    userAgent: text(),
    createdAt: isoTimestamp().notNull().default(sql`now()`),
    lastUsedAt: isoTimestamp().notNull().default(sql`now()`),
    expiresAt: isoTimestamp().notNull(),
    endedAt: isoTimestamp(),
  },
  table => [index('sessions_user_idx').on(table.userId)],
)

/** Single-use tokens sent by mail, hashed. */
export const mailTokens = pgTable(
  'mail_tokens',
  {
    hash: bytes().primaryKey(),
    userId: userId(),
    purpose: text().$type<'verify_email'>().notNull(),
    expiresAt: isoTimestamp().notNull(),
  },
  table => [index('mail_tokens_user_idx').on(table.userId)],
)
