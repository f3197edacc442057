import { sql } from 'drizzle-orm'
import { type Params, statement } from '../../../database/statement.ts'
import { users } from '../../users/tables.ts'
import { identities, sessions } from '../tables.ts'

/**
 * Locks accounts that were made more than `days` days ago, whose address is not confirmed, and which have neither a session
 * nor another way to sign in.
 */
export const lockUnverified = statement(
  'auth.unverified',
  (_, $: Params<{ days: number; limit: number }>) => sql<{
    id: string
    role: 'user'
    status: 'active' | 'deactivated'
  }>`
    select u.id, u.role, u.status from ${users} u
    where u.email_verified_at is null and u.email is not null and u.role = 'user'
      and u.created_at < now() - make_interval(days => ${$.days}::int)
      and not exists (select from ${sessions} s where s.user_id = u.id)
      and not exists (select from ${identities} i where i.user_id = u.id)
    order by u.created_at limit ${$.limit}::int for update of u skip locked`,
)
