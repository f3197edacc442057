import { and, eq, or, sql } from 'drizzle-orm'
import { one, type Params, statement } from '../../../database/statement.ts'
import { touched, versionMatches } from '../../../database/versions.ts'
import type { PlatformRole } from '../../../lib/access.ts'
import type { User } from '../schemas.ts'
import { users } from '../tables.ts'
import { userColumns } from './users.ts'

const isActiveAdmin = sql`${users.role} = 'admin' and ${users.status} = 'active'`

/** Locks the user and every active admin, ordered by id, so that concurrent changes run one after another. */
export const lockWithAdmins = statement('users.lock_with_admins', (db, $: Params<{ id: string }>) =>
  db
    .select({ id: users.id, role: users.role, status: users.status, version: users.version })
    .from(users)
    .where(or(eq(users.id, $.id), isActiveAdmin))
    .orderBy(users.id)
    .for('no key update'),
)

export const findAdmins = statement(
  'users.admins',
  () => sql<{ id: string }>`select id from ${users} where ${isActiveAdmin} order by id`,
)

export const hasAdmin = one(
  statement(
    'users.has_admin',
    () => sql<{ present: boolean }>`select exists (select from ${users} where ${isActiveAdmin}) as present`,
  ),
)

interface Administration {
  id: string
  name: string | null
  role: PlatformRole | null
  status: User['status'] | null
  ifMatch: number[] | null
}

/**
 * Sets the columns that only admins change; null leaves a column unchanged. Undefined when the row does not match
 * `ifMatch`.
 */
export const updateUserRow = one(
  statement('users.administer', (db, $: Params<Administration>) =>
    db
      .update(users)
      .set({
        name: sql`coalesce(${$.name}, ${users.name})`,
        role: sql`coalesce(${$.role}, ${users.role})`,
        status: sql`coalesce(${$.status}, ${users.status})`,
        ...touched(users),
      })
      .where(and(eq(users.id, $.id), versionMatches(users.version, $.ifMatch)))
      .returning(userColumns),
  ),
)
