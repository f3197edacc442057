import { sql } from 'drizzle-orm'
import { one, type Params, statement } from '../../../database/statement.ts'
import { chatChunks, chatMessages, chatUsage } from '../tables.ts'
import { chunksOf, type MessageRow, messageColumns } from './messages.ts'

/** The longest chunk, so that the one around a place begins at most this far before it. */
export const MAX_CHUNK = 8_192
/** Chunks that are read at once for one reader. */
const CHUNKS = sql.raw('100')

interface NewChunk {
  messageId: string
  start: number
  finish: number
  text: string
}

/**
 * Stores a chunk; returns whether the answer is still running. The lock on the answer makes settling wait for it. A
 * chunk that is stored already, because the answer to the first try was lost, stays as it is.
 */
export const insertChunk = one(
  statement(
    'chat_chunks.insert',
    (_, $: Params<NewChunk>) => sql<{ running: boolean }>`
      with answer as (select id from ${chatMessages} where id = ${$.messageId} and status = 'running' for share),
      stored as (
        insert into ${chatChunks} (message_id, start, finish, text)
        select id, ${$.start}::int, ${$.finish}::int, ${$.text}::text from answer on conflict do nothing)
      select exists (select from answer) as running`,
  ),
)

type Places = { ids: string[]; offsets: number[] }

/**
 * Reads on at each of some places in answers: the text from `start`, which is at or before the place. Of a running
 * answer, only the next chunks.
 */
export const readAnswers = statement(
  'chat_chunks.after',
  (_, $: Params<Places>) => sql<{ n: number; running: boolean; expired: boolean; start: number; text: string }>`
    select asked.n, m.status = 'running' as running, coalesce(m.lease_until < now(), false) as expired,
      coalesce(c.start, 0) as start, case m.status when 'running' then coalesce(c.text, '') else m.content end as text
    from unnest(${$.ids}::uuid[], ${$.offsets}::int[]) with ordinality as asked(id, place, n)
    join ${chatMessages} m on m.id = asked.id
    left join lateral (
      select min(k.start) as start, string_agg(k.text, '' order by k.start) as text from (
        select start, text from ${chatChunks} where message_id = m.id
          and start > asked.place - ${sql.raw(String(MAX_CHUNK))} and finish > asked.place
        order by start limit ${CHUNKS}) k) c on m.status = 'running'`,
)

/** Returns those of some answers that are still running. */
export const listRunning = statement(
  'chat_messages.running',
  (_, $: Params<{ ids: string[] }>) => sql<{ id: string }>`
    select id from ${chatMessages} where id = any(${$.ids}::uuid[]) and status = 'running'`,
)

/** Renews the leases of running answers; returns which are still running. */
export const renewLeases = statement(
  'chat_messages.renew',
  (_, $: Params<{ ids: string[]; leaseMs: number }>) => sql<{ id: string }>`
    update ${chatMessages} set lease_until = now() + make_interval(secs => ${$.leaseMs}::int / 1000.0)
    where id = any(${$.ids}::uuid[]) and status = 'running' returning id`,
)

export const listExpired = statement(
  'chat_messages.expired',
  () => sql<{ id: string }>`
    select id from ${chatMessages} where status = 'running' and lease_until < now() order by lease_until limit 1000`,
)

interface Held {
  organizationId: string
  month: string
  reservedMicros: number
  expired: boolean
}

/** Locks a running answer until the commit; undefined when it is settled or gone. */
export const lockRunning = one(
  statement(
    'chat_messages.lock_running',
    (_, $: Params<{ id: string }>) => sql<Held>`
      select organization_id, to_char(created_at, 'YYYY-MM-01') as month, reserved_micros, lease_until < now() as expired
      from ${chatMessages} where id = ${$.id} and status = 'running' for update`,
  ),
)

export interface Settled {
  id: string
  status: string
  failureCode: string | null
  failureDetail: string | null
  retryAfterSeconds: number | null
  /** Null where the provider has not said it: then it is estimated from the characters. */
  inputTokens: number | null
  outputTokens: number | null
  inputCents: number
  outputCents: number
}

/** Of English text; a provider that counts tells the right number in the end. */
export const CHARACTERS_OF_TOKEN = 4

/** Settles a locked answer: its text is that of its chunks. A price is in cents for a million tokens. */
export const settleAnswer = one(
  statement(
    'chat_messages.settle',
    (_, $: Params<Settled>) => sql<MessageRow>`
      with joined as (select ${chunksOf(sql`${$.id}`)} as content),
      counted as (
        select joined.content, coalesce(${$.inputTokens}::int, m.input_tokens) as input,
          coalesce(${$.outputTokens}::int, ceil(char_length(joined.content) / ${sql.raw(CHARACTERS_OF_TOKEN.toFixed(1))})::int) as output
        from joined, ${chatMessages} m where m.id = ${$.id})
      update ${chatMessages} m set status = ${$.status}, content = counted.content, failure_code = ${$.failureCode},
        failure_detail = ${$.failureDetail}, retry_after_seconds = ${$.retryAfterSeconds}::int, lease_until = null,
        input_tokens = counted.input, output_tokens = counted.output, reserved_micros = 0,
        cost_micros = ceil((counted.input * ${$.inputCents}::numeric + counted.output * ${$.outputCents}::numeric) / 100),
        version = m.version + 1, updated_at = now()
      from counted where m.id = ${$.id} returning ${messageColumns}`,
  ),
)

export const deleteChunks = statement(
  'chat_chunks.delete',
  (_, $: Params<{ id: string }>) => sql`delete from ${chatChunks} where message_id = ${$.id}`,
)

type Reservation = { organizationId: string; reservedMicros: number; budgetMicros: number | null }

/**
 * Reserves the most that an answer may cost; undefined when the budget of the month has less left. Null is no limit.
 */
export const reserveBudget = one(
  statement(
    'chat_usage.reserve',
    (_, $: Params<Reservation>) => sql<{ month: string }>`
      insert into ${chatUsage} as u (organization_id, month, reserved_micros)
      select ${$.organizationId}, date_trunc('month', now())::date, ${$.reservedMicros}::bigint
      where ${$.budgetMicros}::bigint is null or ${$.reservedMicros}::bigint <= ${$.budgetMicros}::bigint
      on conflict (month, organization_id) do update set reserved_micros = u.reserved_micros + excluded.reserved_micros
      where ${$.budgetMicros}::bigint is null
        or u.cost_micros + u.reserved_micros + excluded.reserved_micros <= ${$.budgetMicros}::bigint
      returning month::text`,
  ),
)

interface Counted {
  organizationId: string
  month: string
  inputTokens: number
  outputTokens: number
  costMicros: number
  reservedMicros: number
}

/** Counts what an answer used, and releases what was reserved for it. */
export const countUsage = statement(
  'chat_usage.count',
  (_, $: Params<Counted>) => sql`
    update ${chatUsage} set input_tokens = input_tokens + ${$.inputTokens}::bigint,
      output_tokens = output_tokens + ${$.outputTokens}::bigint, cost_micros = cost_micros + ${$.costMicros}::bigint,
      reserved_micros = reserved_micros - ${$.reservedMicros}::bigint
    where organization_id = ${$.organizationId} and month = ${$.month}::date`,
)
