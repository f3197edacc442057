import { sql } from 'drizzle-orm'
import { boolean, index, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core'
import { id, isoTimestamp, timestamps, version } from '../../database/columns.ts'

export const users = pgTable(
  'users',
  {
    id: id(),
    /** In lower case and unique. Null for a user who signed up with a wallet. */
    email: text(),
    name: text().notNull(),
    role: text().$type<'user' | 'moderator' | 'admin'>().notNull().default('user'),
    status: text().$type<'active' | 'deactivated'>().notNull().default('active'),
    passwordHash: text(),
    emailVerifiedAt: isoTimestamp(),
    /** When the account will be erased, unless its owner signs in before. */
    eraseAt: isoTimestamp(),
    version: version(),
    ...timestamps(),
  },
  table => [
    unique('users_email_key').on(table.email),
    index('users_admins_idx').on(table.id).where(sql`${table.role} = 'admin'`),
    index('users_unverified_idx').on(table.createdAt).where(sql`${table.emailVerifiedAt} is null`),
    index('users_erase_idx').on(table.eraseAt).where(sql`${table.eraseAt} is not null`),
  ],
)

const userId = () =>
  uuid()
    .primaryKey()
    .references(() => users.id, { onDelete: 'cascade' })

export const profiles = pgTable('profiles', {
  userId: userId(),
  bio: text(),
  company: text(),
  jobTitle: text(),
})

export const settings = pgTable(
  'settings',
  {
    userId: userId(),
    locale: text().notNull().default('en'),
    timezone: text().notNull().default('UTC'),
    theme: text().$type<'system' | 'light' | 'dark'>().notNull().default('system'),
    emailNotifications: boolean().notNull().default(true),
    digest: text().$type<'none' | 'daily' | 'weekly'>().notNull().default('none'),
  },
  // Few want one, and those are looked for every hour.
  table => [index('settings_digest_idx').on(table.timezone).where(sql`${table.digest} <> 'none'`)],
)
