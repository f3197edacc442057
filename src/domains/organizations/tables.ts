import { sql } from 'drizzle-orm'
import { bigint, index, pgTable, primaryKey, text, unique, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { bytes, id, isoTimestamp, timestamps, version } from '../../database/columns.ts'
import { users } from '../users/tables.ts'

const role = () => text().$type<'owner' | 'admin' | 'member' | 'viewer'>().notNull()

export const organizations = pgTable(
  'organizations',
  {
    id: id(),
    name: text().notNull(),
    slug: text().notNull(),
    /**
     * Set when the organization is deleted: nobody has access any more, the slug is free, and a job erases the
     * remaining rows.
     */
    deletedAt: isoTimestamp(),
    version: version(),
    ...timestamps(),
  },
  table => [uniqueIndex('organizations_slug_key').on(table.slug).where(sql`${table.deletedAt} is null`)],
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
    role: role(),
    version: version(),
    ...timestamps(),
  },
  table => [
    primaryKey({ name: 'members_pkey', columns: [table.organizationId, table.userId] }),
    index('members_user_idx').on(table.userId),
  ],
)

/** Invitations that are pending or expired: an accepted or revoked one is deleted. */
export const invitations = pgTable(
  'invitations',
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    /** Lower case. */
    email: text().notNull(),
    role: role(),
    /** SHA-256 of the token in the latest mail; null until one is sent. */
    tokenHash: bytes(),
    invitedBy: uuid(),
    expiresAt: isoTimestamp().notNull(),
    version: version(),
    ...timestamps(),
  },
  table => [
    unique('invitations_email_key').on(table.organizationId, table.email),
    unique('invitations_token_key').on(table.tokenHash),
  ],
)

/** The deletion of an organization. The row is kept after the organization and its members are gone. */
export const deletions = pgTable(
  'deletions',
  {
    id: id(),
    organizationId: uuid().notNull(),
    requestedBy: uuid(),
    /** Null until the job has counted the rows. */
    totalRows: bigint({ mode: 'number' }),
    deletedRows: bigint({ mode: 'number' }).notNull().default(0),
    completedAt: isoTimestamp(),
    version: version(),
    ...timestamps(),
  },
  table => [index('deletions_requested_by_idx').on(table.requestedBy, table.id)],
)
