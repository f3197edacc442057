import { sql } from 'drizzle-orm'
import { index, integer, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core'
import { bytes, id, isoTimestamp } from '../../database/columns.ts'
import { users } from '../users/tables.ts'

const owner = () => uuid().references(() => users.id, { onDelete: 'cascade' })
const userId = () => owner().notNull()

/** One row for each signed-in device. Its refresh tokens are derived from id and generation and are not stored. */
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
  table => [
    index('sessions_user_idx').on(table.userId),
    index('sessions_ended_idx').on(table.endedAt).where(sql`${table.endedAt} is not null`),
  ],
)

/** Hashes of the single-use tokens that were handed out. */
export const tokens = pgTable(
  'tokens',
  {
    hash: bytes().primaryKey(),
    purpose: text()
      .$type<
        | 'verify_email'
        | 'reset_password'
        | 'old_email'
        | 'new_email'
        | 'google_flow'
        | 'exchange'
        | 'wallet_nonce'
        | 'first_admin'
        | 'realtime'
      >()
      .notNull(),
    /** Null when the user is not known yet. */
    userId: owner(),
    /** What the token is bound to besides a user: a wallet and its chain, or the challenge of a front end. */
    subject: text(),
    expiresAt: isoTimestamp().notNull(),
  },
  table => [index('tokens_user_idx').on(table.userId), index('tokens_expires_idx').on(table.expiresAt)],
)

/** A change of address that both addresses have to confirm. */
export const emailChanges = pgTable('email_changes', {
  userId: userId().primaryKey(),
  email: text().notNull(),
  /** The session that asked for the change; it does not end with the change. */
  sessionId: uuid().references(() => sessions.id, { onDelete: 'set null' }),
  oldConfirmedAt: isoTimestamp(),
  newConfirmedAt: isoTimestamp(),
  expiresAt: isoTimestamp().notNull(),
})

/** Sign-in methods besides the password. */
export const identities = pgTable(
  'identities',
  {
    id: id(),
    userId: userId(),
    provider: text().$type<'google' | 'wallet'>().notNull(),
    /** The provider's id of the user: Google's `sub`, or the wallet's checksummed address. */
    subject: text().notNull(),
    createdAt: isoTimestamp().notNull().default(sql`now()`),
  },
  table => [
    unique('identities_subject_key').on(table.provider, table.subject),
    index('identities_user_idx').on(table.userId),
  ],
)
