import { sql } from 'drizzle-orm'
import { type Params, statement } from '../../../database/statement.ts'
import { events } from '../../../events/tables.ts'
import { deliveries, webhooks } from '../tables.ts'

/** Leases that the token holds. Rows that a transaction of a user has locked are left for the next time. */
const held = ($: { ids: unknown; token: unknown }) => sql`
  select id from ${webhooks} where id = any(${$.ids}::uuid[]) and lease_token = ${$.token}::uuid
  for no key update skip locked`

interface Lease {
  token: string
  leaseMs: number
  most: number
}

interface Leased {
  id: string
  url: string
  failureCount: number
}

/**
 * Leases endpoints with a delivery that is due and no holder. The recursion goes from endpoint to endpoint in the index
 * of pending deliveries, so it reads one entry of each, whatever the number of deliveries or of idle endpoints is.
 */
export const leaseEndpoints = statement(
  'webhooks.dispatch.lease',
  (_, $: Params<Lease>) => sql<Leased>`
    with recursive waiting as (
      (select webhook_id, next_attempt_at from ${deliveries} where state = 'pending'
        order by webhook_id, next_attempt_at limit 1)
      union all
      select next.webhook_id, next.next_attempt_at from waiting, lateral (
        select webhook_id, next_attempt_at from ${deliveries}
        where state = 'pending' and webhook_id > waiting.webhook_id
        order by webhook_id, next_attempt_at limit 1) next
    ), free as (
      select w.id from waiting join ${webhooks} w on w.id = waiting.webhook_id
      where waiting.next_attempt_at <= now() and w.enabled
        and (w.lease_until is null or w.lease_until <= now()) and (w.blocked_until is null or w.blocked_until <= now())
      order by waiting.next_attempt_at limit ${$.most} for no key update of w skip locked
    )
    update ${webhooks} set lease_token = ${$.token}, lease_until = now() + ${$.leaseMs}::int * interval '1 millisecond'
    where id in (select id from free) returning id, url, failure_count`,
)

interface Renewal {
  ids: string[]
  token: string
  leaseMs: number
  /** JSON: what is known of each. An endpoint without work is released. */
  states: string
}

/** Renews or releases leases, and stores what the next holder must know. Returns those that are held. */
export const renewLeases = statement(
  'webhooks.dispatch.renew',
  (_, $: Params<Renewal>) => sql<{ id: string }>`
    with held as (${held($)})
    update ${webhooks} w set
      lease_until = case when s.works then now() + ${$.leaseMs}::int * interval '1 millisecond' end,
      lease_token = case when s.works then w.lease_token end,
      failure_count = coalesce(s.failures, w.failure_count),
      blocked_until = case when s.failures is null then w.blocked_until
        when s."blockedMs" > 0 then now() + s."blockedMs" * interval '1 millisecond' end
    from jsonb_to_recordset(${$.states}::jsonb) as s(id uuid, works boolean, failures int, "blockedMs" int)
    where w.id = s.id and w.id in (select id from held)
    returning w.id`,
)

interface Wanted {
  token: string
  /** JSON: `{ id, most, isOpen, skip }` for each endpoint. */
  wanted: string
  most: number
}

export interface DueDelivery {
  id: string
  webhookId: string
  eventId: string
  attemptCount: number
  nextAttemptAt: string | null
  url: string
  secret: Buffer
  previousSecret: Buffer | null
  /** Null when the event is no longer in the log. */
  type: string | null
  timestamp: string | null
  /** The data of the event as JSON text. */
  data: string | null
  /** W3C trace context of the request that caused it, if it had one. */
  traceparent: string | null
}

/**
 * Reads what is due at endpoints that the token holds, in the order of events: first attempts became due in it. A broken
 * endpoint is probed with its oldest event, so that the one that waits longest is tried on its schedule.
 */
export const listDue = statement(
  'webhooks.dispatch.due',
  (_, $: Params<Wanted>) => sql<DueDelivery>`
    with wanted as (
      select w.id, w.url, w.secret, case when w.previous_secret_expires_at > now() then w.previous_secret end as previous_secret,
        s.most, s."isOpen" as is_open, s.skip
      from jsonb_to_recordset(${$.wanted}::jsonb) as s(id uuid, most int, "isOpen" boolean, skip uuid[])
      join ${webhooks} w on w.id = s.id
      where w.lease_token = ${$.token}::uuid and w.enabled
    ), due as (
      select d.id, d.webhook_id, d.event_id, d.attempt_count, d.next_attempt_at, d.position, d.seq,
        wanted.url, wanted.secret, wanted.previous_secret
      from wanted, lateral (
        (select * from ${deliveries} where not wanted.is_open and webhook_id = wanted.id and state = 'pending'
          and next_attempt_at <= now() and id <> all(wanted.skip)
        order by next_attempt_at, position, seq limit wanted.most)
        union all
        (select * from ${deliveries} where wanted.is_open and webhook_id = wanted.id and state = 'pending'
          and next_attempt_at <= now() and id <> all(wanted.skip)
        order by position, seq limit 1)) d
      order by d.next_attempt_at, d.position, d.seq limit ${$.most}
    )
    select due.id, due.webhook_id, due.event_id, due.attempt_count, due.next_attempt_at, due.url, due.secret,
      due.previous_secret, e.type, e.created_at as timestamp, e.data::text as data, e.traceparent
    from due left join ${events} e on e.id = due.event_id
    order by due.next_attempt_at, due.position, due.seq`,
)

interface Settlement {
  ids: string[]
  token: string
  /** JSON: `{ id, number, state, delayMs, attempt }` for each. */
  outcomes: string
}

/**
 * Stores attempts, as far as their endpoint is still held. Returns a row for each held endpoint. A delivery that was
 * cancelled meanwhile stays so, unless it has arrived; one that begins its schedule again is left alone.
 */
export const settleAttempts = statement(
  'webhooks.dispatch.settle',
  (_, $: Params<Settlement>) => sql<{ id: string }>`
    with held as (${held($)}), settled as (
      update ${deliveries} d set
        state = case when d.state = 'pending' or o.state = 'delivered' then o.state else d.state end,
        next_attempt_at = case when d.state = 'pending' and o.state = 'pending'
          then clock_timestamp() + o."delayMs" * interval '1 millisecond' end,
        attempt_count = o.number,
        attempts = d.attempts || o.attempt,
        settled_at = case when o.state <> 'pending' then clock_timestamp() else d.settled_at end,
        version = d.version + 1, updated_at = clock_timestamp()
      from jsonb_to_recordset(${$.outcomes}::jsonb) as o(id uuid, number int, state text, "delayMs" bigint, attempt jsonb)
      where d.id = o.id and d.webhook_id in (select id from held) and d.attempt_count = o.number - 1
    )
    select id from held`,
)

/** The age of the oldest delivery that is due and whose endpoint is not broken. */
export const findBacklogAge = statement(
  'webhooks.dispatch.backlog',
  () => sql<{ seconds: number }>`
    with recursive waiting as (
      (select webhook_id, next_attempt_at from ${deliveries} where state = 'pending'
        order by webhook_id, next_attempt_at limit 1)
      union all
      select next.webhook_id, next.next_attempt_at from waiting, lateral (
        select webhook_id, next_attempt_at from ${deliveries}
        where state = 'pending' and webhook_id > waiting.webhook_id
        order by webhook_id, next_attempt_at limit 1) next
    )
    select coalesce(max(extract(epoch from now() - waiting.next_attempt_at)), 0)::float8 as seconds
    from waiting join ${webhooks} w on w.id = waiting.webhook_id
    where waiting.next_attempt_at <= now() and w.enabled and (w.blocked_until is null or w.blocked_until <= now())`,
)
