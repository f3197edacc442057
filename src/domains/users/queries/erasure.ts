import { and, eq, isNotNull, lte, sql } from 'drizzle-orm'
import { one, type Params, statement } from '../../../database/statement.ts'
import { touched } from '../../../database/versions.ts'
import { users } from '../tables.ts'
import { userColumns } from './users.ts'

const erasure = { ...userColumns, eraseAt: users.eraseAt }

export const scheduleErasure = statement('users.schedule_erasure', (db, $: Params<{ id: string; days: number }>) =>
  db
    .update(users)
    .set({ eraseAt: sql`now() + make_interval(days => ${$.days})`, ...touched(users) })
    .where(eq(users.id, $.id))
    .returning(erasure),
)

/** Cancels a scheduled erasure. When none is scheduled, returns undefined and locks nothing. */
export const cancelErasure = one(
  statement('users.cancel_erasure', (db, $: Params<{ id: string }>) =>
    db
      .update(users)
      .set({ eraseAt: null, ...touched(users) })
      .where(and(eq(users.id, $.id), isNotNull(users.eraseAt)))
      .returning(userColumns),
  ),
)

const due = lte(users.eraseAt, sql`now()`)

export const findDueErasures = statement('users.due_erasures', (db, _: Params<object>) =>
  db.select({ id: users.id }).from(users).where(due),
)

/** Locks a user whose erasure is due. */
export const lockDueErasure = one(
  statement('users.lock_due_erasure', (db, $: Params<{ id: string }>) =>
    db
      .select(userColumns)
      .from(users)
      .where(and(eq(users.id, $.id), due))
      .for('update'),
  ),
)

/** Deletes the user with everything that belongs only to the user. */
export const deleteUser = statement('users.delete', (db, $: Params<{ id: string }>) =>
  db.delete(users).where(eq(users.id, $.id)),
)
