import { type SQL, sql } from 'drizzle-orm'
import { type Params, statement } from '../../../database/statement.ts'
import { events } from '../../../events/tables.ts'
import { firstId } from '../../audit/queries/events.ts'
import { chatMessages } from '../../chat/tables.ts'
import { fileUsage } from '../../files/tables.ts'
import { organizations } from '../../organizations/tables.ts'
import type { UsageDay } from '../schemas/usage.ts'
import { usageDays, usageRequests } from '../tables.ts'

/** Ids hold the time of the process that made them; rows hold that of the database. */
const SLACK = sql`interval '1 hour'`

/** Rows of a table that were created from one day to another, both included; found by their ids, which hold the time. */
const within = (from: SQL, to: SQL): SQL => sql`
  id >= ${firstId(sql`${from}::timestamptz - ${SLACK}`)} and id < ${firstId(sql`${to}::timestamptz + interval '1 day' + ${SLACK}`)}
  and created_at >= ${from}::timestamptz and created_at < ${to}::timestamptz + interval '1 day'`

const day = sql`(created_at at time zone 'UTC')::date`

/** Counts by organization and day, from the event log and the messages. `of` limits it to some organizations. */
const counted = (from: SQL, to: SQL, of: SQL): SQL => sql`
  logged as (
    select organization_id, ${day} as day, count(distinct actor_id) filter (where actor_type = 'user') as active_users,
      count(*) filter (where type = 'task.created') as tasks_created,
      count(*) filter (where type = 'task.completed') as tasks_completed
    from ${events} where ${within(from, to)} and ${of} group by 1, 2),
  spoken as (
    select organization_id, ${day} as day, sum(coalesce(input_tokens, 0) + coalesce(output_tokens, 0)) as tokens
    from ${chatMessages} where ${within(from, to)} and ${of} group by 1, 2)`

type Range = { organizationId: string; from: string; to: string }

/** The usage of each day: what is kept of days that are over, and what is counted now of the others. */
export const findUsage = statement(
  'reports.usage',
  (_, $: Params<Range>) => sql<UsageDay>`
    with kept as (
      select * from ${usageDays}
      where organization_id = ${$.organizationId} and day between ${$.from}::date and ${$.to}::date),
    missing as (
      select coalesce(max(day) + 1, ${$.from}::date) as day from kept),
    ${counted(
      sql`(select greatest(day, ${$.from}::date) from missing)`,
      sql`${$.to}`,
      sql`organization_id = ${$.organizationId}::uuid`,
    )},
    stored as (select bytes from ${fileUsage} where organization_id = ${$.organizationId})
    select to_char(d, 'YYYY-MM-DD') as day, coalesce(r.requests, 0) as requests,
      coalesce(k.active_users, l.active_users, 0)::int as active_users,
      coalesce(k.tasks_created, l.tasks_created, 0)::int as tasks_created,
      coalesce(k.tasks_completed, l.tasks_completed, 0)::int as tasks_completed,
      coalesce(k.tokens, s.tokens, 0)::bigint as tokens,
      coalesce(k.storage_bytes, case when d >= current_date then (select bytes from stored) end, 0) as storage_bytes
    from generate_series(${$.from}::date, ${$.to}::date, interval '1 day') d
      left join kept k on k.day = d::date
      left join logged l on l.day = d::date
      left join spoken s on s.day = d::date
      left join ${usageRequests} r on r.organization_id = ${$.organizationId}::uuid and r.day = d::date
    order by d`,
)

/** Keeps the usage of a day for every organization; once more it is counted anew, but for the storage of that time. */
export const keepDay = statement(
  'reports.keep_day',
  (_, $: Params<{ day: string }>) => sql`
    with ${counted(sql`${$.day}`, sql`${$.day}`, sql`organization_id is not null`)}
    insert into ${usageDays} (organization_id, day, active_users, tasks_created, tasks_completed, tokens, storage_bytes)
    select o.id, ${$.day}::date, coalesce(l.active_users, 0), coalesce(l.tasks_created, 0), coalesce(l.tasks_completed, 0),
      coalesce(s.tokens, 0), coalesce(f.bytes, 0)
    from ${organizations} o
      left join logged l on l.organization_id = o.id
      left join spoken s on s.organization_id = o.id
      left join ${fileUsage} f on f.organization_id = o.id
    where o.created_at < ${$.day}::timestamptz + interval '1 day'
    on conflict (organization_id, day) do update set active_users = excluded.active_users,
      tasks_created = excluded.tasks_created, tasks_completed = excluded.tasks_completed, tokens = excluded.tokens`,
)

/**
 * The days to keep, the oldest first: those since the last that is kept, or since the first event, and always the two
 * before today, because an event may have been committed after its day was over.
 */
export const findPastDays = statement(
  'reports.past_days',
  (_, $: Params<{ limit: number }>) => sql<{ day: string }>`
    select to_char(d, 'YYYY-MM-DD') as day
    from generate_series(
      least(current_date - 2, coalesce(
        (select max(day) + 1 from ${usageDays}),
        (select ${day} from ${events} order by id limit 1))),
      current_date - 1, interval '1 day') d
    order by d limit ${$.limit}`,
)

/** Adds to the counts; `counts` is JSON: `{ organizationId, day, requests }` for each. */
export const addRequests = statement(
  'reports.add_requests',
  (_, $: Params<{ counts: string }>) => sql`
    insert into ${usageRequests} as u (organization_id, day, requests)
    select c."organizationId", c.day, c.requests
    from jsonb_to_recordset(${$.counts}::jsonb) as c("organizationId" uuid, day date, requests bigint)
      join ${organizations} o on o.id = c."organizationId"
    order by 1, 2
    on conflict (organization_id, day) do update set requests = u.requests + excluded.requests`,
)
