import { sql } from 'drizzle-orm'
import { one, type Params, statement } from '../../database/statement.ts'
import { idempotencyKeys } from './tables.ts'

interface Answer {
  id: Buffer
  fingerprint: Buffer
  status: number
  body: string | null
  location: string | null
  etag: string | null
}

/** Held until the transaction ends; false while another transaction holds it. */
export const tryLock = one(
  statement(
    'idempotency.lock',
    (_, $: Params<{ lock: bigint }>) => sql<{ locked: boolean }>`select pg_try_advisory_xact_lock(${$.lock}) as locked`,
  ),
)

/** The answer kept within the last 24 hours. A statement of its own after the lock: its snapshot sees the holder's commit. */
export const findAnswer = one(
  statement(
    'idempotency.find',
    (_, $: Params<{ id: Buffer }>) => sql<Answer>`
      select id, fingerprint, status, body, location, etag from ${idempotencyKeys}
      where id = ${$.id} and created_at > now() - interval '24 hours'`,
  ),
)

export const insertAnswer = statement(
  'idempotency.insert',
  (_, $: Params<Answer>) => sql`
    insert into ${idempotencyKeys} (id, fingerprint, status, body, location, etag)
    values (${$.id}, ${$.fingerprint}, ${$.status}, ${$.body}, ${$.location}, ${$.etag})
    on conflict (id) do update set fingerprint = excluded.fingerprint, status = excluded.status, body = excluded.body,
      location = excluded.location, etag = excluded.etag, created_at = now()`,
)

export const deleteExpiredAnswers = statement(
  'idempotency.delete_expired',
  () => sql`delete from ${idempotencyKeys} where created_at < now() - interval '24 hours'`,
)
