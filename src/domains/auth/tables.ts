import { sql } from 'drizzle-orm'
import { index, integer, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core'
import { bytes, id, isoTimestamp } from '../../database/columns.ts'
import { users } from '../users/tables.ts'

const owner = () => uuid().references(() => users.id, { onDelete: 'cascade' })
const userId = () => owner().notNull()

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
  table => [
    index('sessions_user_idx').on(table.userId),
    index('sessions_ended_idx').on(table.endedAt).where(sql`${table.endedAt} is not null`),
  ],
)

/** Single-use secrets that were handed out, hashed. */
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
      >()
      .notNull(),
    /** Null where nobody is known yet. */
    userId: owner(),
    /** What the secret is bound to besides a user: a wallet and its chain, the secret of a front end. */
    subject: text(),
    expiresAt: isoTimestamp().notNull(),
  },
  table => [index('tokens_user_idx').on(table.userId), index('tokens_expires_idx').on(table.expiresAt)],
)

/** A change of address, which both addresses have to confirm. */
export const emailChanges = pgTable('email_changes', {
  userId: userId().primaryKey(),
  email: text().notNull(),
  /** The session that asked; it outlives the change. */
  sessionId: uuid().references(() => sessions.id, { onDelete: 'set null' }),
  oldConfirmedAt: isoTimestamp(),
  newConfirmedAt: isoTimestamp(),
  expiresAt: isoTimestamp().notNull(),
})

/** Ways to sign in besides the password. */
export const identities = pgTable(
  'identities',
  {
    id: id(),
    userId: userId(),
    provider: text().$type<'google' | 'wallet'>().notNull(),
    /** The provider's name for the person: Google's `sub`, the wallet's checksummed address. */
    subject: text().notNull(),
    createdAt: isoTimestamp().notNull().default(sql`now()`),
  },
  table => [
    unique('identities_subject_key').on(table.provider, table.subject),
    index('identities_user_idx').on(table.userId),
  ],
)
