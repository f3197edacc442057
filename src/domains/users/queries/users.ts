import { and, eq, sql } from 'drizzle-orm'
import { defineList } from '../../../database/list.ts'
import { one, type Params, statement, statements } from '../../../database/statement.ts'
import { contains } from '../../../database/text.ts'
import { touched, versionMatches } from '../../../database/versions.ts'
import { type Me, User } from '../schemas.ts'
import { profiles, settings, users } from '../tables.ts'

/** The columns that responses may contain; never the password hash. */
export const userColumns = {
  id: users.id,
  email: users.email,
  name: users.name,
  role: users.role,
  status: users.status,
  emailVerifiedAt: users.emailVerifiedAt,
  version: users.version,
  createdAt: users.createdAt,
  updatedAt: users.updatedAt,
}

type UserRow = User & { version: number }

export const findUser = one(
  statement('users.find', (db, $: Params<{ id: string }>) =>
    db.select(userColumns).from(users).where(eq(users.id, $.id)),
  ),
)

export const findMe = one(
  statement(
    'users.me',
    (_, $: Params<{ id: string }>) => sql<Me & { version: number }>`
      select u.id, u.email, u.name, u.role, u.status, u.email_verified_at, u.version, u.created_at, u.updated_at,
        json_build_object('bio', p.bio, 'company', p.company, 'jobTitle', p.job_title) as profile,
        json_build_object('locale', s.locale, 'timezone', s.timezone, 'theme', s.theme,
          'emailNotifications', s.email_notifications, 'digest', s.digest) as settings
      from ${users} u join ${profiles} p on p.user_id = u.id join ${settings} s on s.user_id = u.id
      where u.id = ${$.id}`,
  ),
)

type NewUser = Params<{ id: string; email: string | null; name: string; passwordHash: string | null }>

/** Inserts user, profile and settings together, unless the address is taken. */
const inserting = ($: NewUser) => sql`
  with inserted as (
    insert into ${users} (id, email, name, password_hash)
    values (${$.id}, ${$.email}, ${$.name}, ${$.passwordHash})
    on conflict on constraint users_email_key do nothing returning *
  ),
  profile as (insert into ${profiles} (user_id) select id from inserted),
  preferences as (insert into ${settings} (user_id) select id from inserted)`

const row = sql.raw('id, email, name, role, status, email_verified_at, version, created_at, updated_at')

/** Returns undefined when the address is taken. */
export const insertUser = one(
  statement('users.insert', (_, $: NewUser) => sql<UserRow>`${inserting($)} select ${row} from inserted`),
)

/**
 * As `insertUser`, or returns the user who has the address; undefined when that user was inserted at the same moment.
 */
export const insertOrFindUser = one(
  statement(
    'users.insert_or_find',
    (_, $: NewUser) => sql<UserRow & { inserted: boolean }>`
      ${inserting($)} select ${row}, true as inserted from inserted
      union all select ${row}, false from ${users} where email = ${$.email}`,
  ),
)

/** Returns undefined when the row does not match `ifMatch`. */
export const updateUser = one(
  statement('users.update', (db, $: Params<{ id: string; name: string | null; ifMatch: number[] | null }>) =>
    db
      .update(users)
      .set({ name: sql`coalesce(${$.name}, ${users.name})`, ...touched(users) })
      .where(and(eq(users.id, $.id), versionMatches(users.version, $.ifMatch)))
      .returning(userColumns),
  ),
)

type Columns = readonly string[]

const assignments = (columns: Columns, $: object, table: typeof profiles | typeof settings) =>
  Object.fromEntries(
    columns.map(column => [column, sql`${($ as Record<string, unknown>)[column]}`]),
  ) as never as Partial<(typeof table)['$inferInsert']>

/** `columns` names the columns to set, so that null can be written. */
export const updateProfile = statements('users.update_profile', (db, $: Params<{ userId: string }>, columns: Columns) =>
  db
    .update(profiles)
    .set(assignments(columns, $, profiles))
    .where(eq(profiles.userId, $.userId))
    .returning(),
)

export const updateSettings = statements(
  'users.update_settings',
  (db, $: Params<{ userId: string }>, columns: Columns) =>
    db
      .update(settings)
      .set(assignments(columns, $, settings))
      .where(eq(settings.userId, $.userId))
      .returning(),
)

export const verifyUserEmail = statement('users.verify_email', (db, $: Params<{ id: string }>) =>
  db
    .update(users)
    .set({ emailVerifiedAt: sql`coalesce(${users.emailVerifiedAt}, now())`, ...touched(users) })
    .where(eq(users.id, $.id))
    .returning(userColumns),
)

/** Locks the user until the commit. Lock order: the user before its tokens. */
export const lockUser = one(
  statement('users.lock', (db, $: Params<{ id: string }>) =>
    db
      .select({ ...userColumns, eraseAt: users.eraseAt })
      .from(users)
      .where(eq(users.id, $.id))
      .for('no key update'),
  ),
)

export const lockUserByEmail = one(
  statement('users.lock_by_email', (db, $: Params<{ email: string }>) =>
    db.select(userColumns).from(users).where(eq(users.email, $.email)).for('no key update'),
  ),
)

/** Sets an address that has just been verified. */
export const changeEmail = statement('users.change_email', (db, $: Params<{ id: string; email: string }>) =>
  db
    .update(users)
    .set({ email: sql`${$.email}`, emailVerifiedAt: sql`now()`, ...touched(users) })
    .where(eq(users.id, $.id))
    .returning(userColumns),
)

const byId = { on: users.id, key: 'id', type: 'uuid' } as const

export const listUsers = defineList<User, object, { search?: string; role?: string; status?: string }>({
  name: 'users.list',
  item: User,
  columns: sql`id, email, name, role, status, email_verified_at, version, created_at, updated_at`,
  from: sql`${users}`,
  where: () => sql`true`,
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
  filters: {
    search: $ => sql`(${contains(users.name, $.search)} or ${contains(users.email, $.search)})`,
    role: $ => eq(users.role, sql`${$.role}`),
    status: $ => eq(users.status, sql`${$.status}`),
  },
})
