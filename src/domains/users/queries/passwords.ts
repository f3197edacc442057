import { and, eq, isNotNull, sql } from 'drizzle-orm'
import { one, type Params, statement } from '../../../database/statement.ts'
import { touched } from '../../../database/versions.ts'
import { users } from '../tables.ts'
import { userColumns } from './users.ts'

const credentials = { ...userColumns, passwordHash: users.passwordHash }

/** Finds the credentials by address. This and `findCredentialsOf` are the only statements that read a hash. */
export const findCredentials = one(
  statement('users.credentials', (db, $: Params<{ email: string }>) =>
    db.select(credentials).from(users).where(eq(users.email, $.email)),
  ),
)

export const findCredentialsOf = one(
  statement('users.credentials_of', (db, $: Params<{ id: string }>) =>
    db.select(credentials).from(users).where(eq(users.id, $.id)),
  ),
)

const hasPassword = ($: Params<{ id: string; current: string }>) =>
  and(eq(users.id, $.id), eq(users.passwordHash, $.current))

/** Locks the user; returns no row when `current` is no longer the hash. */
export const lockPassword = statement('users.lock_password', (db, $: Params<{ id: string; current: string }>) =>
  db.select({ id: users.id }).from(users).where(hasPassword($)).for('no key update'),
)

/**
 * Replaces the hash of the same password by one with other parameters. The version stays, because the user sees no
 * change.
 */
export const rehashPassword = statement(
  'users.rehash_password',
  (db, $: Params<{ id: string; current: string; passwordHash: string }>) =>
    db
      .update(users)
      .set({ passwordHash: sql`${$.passwordHash}` })
      .where(hasPassword($))
      .returning({ id: users.id }),
)

/** Returns undefined when `current` is no longer the hash. */
export const changePassword = one(
  statement('users.change_password', (db, $: Params<{ id: string; current: string; passwordHash: string }>) =>
    db
      .update(users)
      .set({ passwordHash: sql`${$.passwordHash}`, ...touched(users) })
      .where(hasPassword($))
      .returning(userColumns),
  ),
)

export const setPassword = statement('users.set_password', (db, $: Params<{ id: string; passwordHash: string }>) =>
  db
    .update(users)
    .set({ passwordHash: sql`${$.passwordHash}`, ...touched(users) })
    .where(eq(users.id, $.id))
    .returning(userColumns),
)

/** Returns undefined when there is no password. */
export const removePassword = one(
  statement('users.remove_password', (db, $: Params<{ id: string }>) =>
    db
      .update(users)
      .set({ passwordHash: null, ...touched(users) })
      .where(and(eq(users.id, $.id), isNotNull(users.passwordHash)))
      .returning(userColumns),
  ),
)
