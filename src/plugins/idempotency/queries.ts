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

/** Locks until the transaction ends; returns false while another transaction holds the lock. */
export const tryLock = one(
  statement(
    'idempotency.lock',
    (_, $: Params<{ lock: bigint }>) => sql<{ locked: boolean }>`select pg_try_advisory_xact_lock(${$.lock}) as locked`,
  ),
)

/**
 * Finds the response stored within the last 24 hours. It must be a separate statement after the lock, so that its
 * snapshot sees the commit of the previous holder.
 */
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
