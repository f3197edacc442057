import { sql } from 'drizzle-orm'
import { one, type Params, statement } from '../../../database/statement.ts'
import { organizations } from '../../organizations/tables.ts'
import { tasks } from '../../tasks/tables.ts'
import { settings, users } from '../../users/tables.ts'
import { digests } from '../tables.ts'

/** Returns the time zones of those who want a digest. */
export const findDigestZones = statement(
  'digests.zones',
  () => sql<{ timezone: string }>`select distinct timezone from ${settings} where digest <> 'none'`,
)

interface Due {
  /** JSON: `{ timezone, day, monday }` of each zone where the hour has come. */
  zones: string
  limit: number
}

/** Takes users whose digest of a day is due, each once however many processes ask. */
export const takeDueDigests = statement(
  'digests.take',
  (_, $: Params<Due>) => sql<{ userId: string; day: string }>`
    insert into ${digests} as d (user_id, day)
    select s.user_id, z.day
    from jsonb_to_recordset(${$.zones}::jsonb) as z(timezone text, day date, monday boolean)
      join ${settings} s on s.timezone = z.timezone and (s.digest = 'daily' or (s.digest = 'weekly' and z.monday))
      join ${users} u on u.id = s.user_id and u.status = 'active' and u.email is not null
    where not exists (select from ${digests} known where known.user_id = s.user_id and known.day >= z.day)
    order by s.user_id limit ${$.limit}::int
    on conflict (user_id) do update set day = excluded.day where d.day < excluded.day
    returning user_id, to_char(day, 'YYYY-MM-DD') as day`,
)

export interface Recipient {
  email: string | null
  name: string
  status: string
  locale: string
  timezone: string
  digest: 'none' | 'daily' | 'weekly'
  emailNotifications: boolean
}

export const findRecipient = one(
  statement(
    'digests.recipient',
    (_, $: Params<{ userId: string }>) => sql<Recipient>`
      select u.email, u.name, u.status, s.locale, s.timezone, s.digest, s.email_notifications
      from ${users} u join ${settings} s on s.user_id = u.id where u.id = ${$.userId}`,
  ),
)

export interface DigestTask {
  title: string
  organization: string
  /** Never null: it lies in a period. */
  dueAt: string | null
}

interface Period {
  userId: string
  from: string
  to: string
  limit: number
}

/** Lists open tasks of a user that are due in a period, the first to be due first. */
export const findDueTasks = statement(
  'digests.tasks',
  (_, $: Params<Period>) => sql<DigestTask>`
    select t.title, o.name as organization, t.due_at
    from ${tasks} t join ${organizations} o on o.id = t.organization_id and o.deleted_at is null
    where t.assignee_id = ${$.userId} and t.status in ('open', 'in_progress')
      and t.due_at >= ${$.from}::timestamptz and t.due_at < ${$.to}::timestamptz
    order by t.due_at, t.id limit ${$.limit}::int`,
)

/** Counts the tasks of a user that were completed in a period. */
export const countCompleted = one(
  statement(
    'digests.completed',
    (_, $: Params<Omit<Period, 'limit'>>) => sql<{ count: number }>`
      select count(*)::int as count from ${tasks}
      where assignee_id = ${$.userId} and completed_at >= ${$.from}::timestamptz and completed_at < ${$.to}::timestamptz`,
  ),
)
