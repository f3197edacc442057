import { eq, sql } from 'drizzle-orm'
import { batchOf, deletionOf } from '../../../database/batches.ts'
import { one, type Params, statement } from '../../../database/statement.ts'
import { emailChanges } from '../tables.ts'

interface NewEmailChange {
  userId: string
  email: string
  /** The session that asks for the change; it does not end with the change. */
  sessionId: string
  /** True when there is no old address or it was never verified. */
  oldConfirmed: boolean
  lifeSeconds: number
}

const columns = sql.raw('user_id, email, session_id, old_confirmed_at, new_confirmed_at')

export interface EmailChange {
  userId: string
  email: string
  sessionId: string | null
  oldConfirmedAt: string | null
  newConfirmedAt: string | null
}

/** Replaces an older change of the same user. */
export const upsertEmailChange = statement(
  'email_changes.upsert',
  (_, $: Params<NewEmailChange>) => sql`
    insert into ${emailChanges} as c (user_id, email, session_id, old_confirmed_at, expires_at)
    values (${$.userId}, ${$.email}, ${$.sessionId}, case when ${$.oldConfirmed}::boolean then now() end,
      now() + make_interval(secs => ${$.lifeSeconds}))
    on conflict (user_id) do update set email = excluded.email, session_id = excluded.session_id,
      old_confirmed_at = excluded.old_confirmed_at, new_confirmed_at = null, expires_at = excluded.expires_at`,
)

export const findEmailChange = one(
  statement(
    'email_changes.find',
    (_, $: Params<{ userId: string }>) => sql<EmailChange>`
      select ${columns} from ${emailChanges} where user_id = ${$.userId} and expires_at > now()`,
  ),
)

/** Returns undefined when the change is gone or has expired. */
export const confirmEmailChange = one(
  statement(
    'email_changes.confirm',
    (_, $: Params<{ userId: string; old: boolean }>) => sql<EmailChange>`
      update ${emailChanges} set
        old_confirmed_at = case when ${$.old}::boolean then now() else old_confirmed_at end,
        new_confirmed_at = case when ${$.old}::boolean then new_confirmed_at else now() end
      where user_id = ${$.userId} and expires_at > now() returning ${columns}`,
  ),
)

export const deleteEmailChange = statement('email_changes.delete', (db, $: Params<{ userId: string }>) =>
  db.delete(emailChanges).where(eq(emailChanges.userId, $.userId)),
)

export const deleteExpiredEmailChanges = batchOf(
  statement('email_changes.delete_expired', () => deletionOf(emailChanges, sql`expires_at <= now()`)),
)
