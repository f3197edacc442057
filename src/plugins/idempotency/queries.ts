import { type SQL, sql } from 'drizzle-orm'
import { batchOf, deletionOf } from '../../database/batches.ts'
import { one, type Params, statement } from '../../database/statement.ts'
import type { KeptAnswer } from '../../lib/idempotency.ts'
import { idempotencyKeys } from './tables.ts'

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
    (_, $: Params<{ id: Buffer }>) => sql<KeptAnswer>`
      select id, fingerprint, status, body, location, etag from ${idempotencyKeys}
      where id = ${$.id} and created_at > now() - interval '24 hours'`,
  ),
)

/** `insert into idempotency_keys …` of rows in the order of these columns; the key must be claimed or locked. */
const insertRows = (rows: SQL): SQL => sql`
    insert into ${idempotencyKeys} (id, fingerprint, status, body, location, etag) ${rows}
    on conflict (id) do update set fingerprint = excluded.fingerprint, status = excluded.status, body = excluded.body,
      location = excluded.location, etag = excluded.etag, created_at = now()`

export const insertAnswer = statement('idempotency.insert', (_, $: Params<KeptAnswer>) =>
  insertRows(sql`values (${$.id}, ${$.fingerprint}, ${$.status}, ${$.body}, ${$.location}, ${$.etag})`),
)

/** The columns of `answerFields`, for `jsonb_to_recordset`. */
export const answerColumns = sql.raw(
  `"keyId" bytea, "fingerprint" bytea, "keptStatus" integer, "keptBody" text, "keptLocation" text, "keptEtag" text`,
)

const hex = (bytes: Buffer): string => `\\x${bytes.toString('hex')}`

export const answerFields = ({ id, fingerprint, status, body, location, etag }: KeptAnswer) => ({
  keyId: hex(id),
  fingerprint: hex(fingerprint),
  keptStatus: status,
  keptBody: body,
  keptLocation: location,
  keptEtag: etag,
})

/** Inserts the answers of the records in `from e`, as a CTE of the statement that has their effects. */
export const insertAnswers = (from: SQL): SQL =>
  insertRows(
    sql`select e."keyId", e.fingerprint, e."keptStatus", e."keptBody", e."keptLocation", e."keptEtag" from ${from}`,
  )

/**
 * A source of rows `(id)`: of the keys in an array those that are free, locked until the commit. Left out are keys that
 * another transaction has locked or that have an answer.
 */
export const claimedKeys = (ids: SQL): SQL => sql`claim_keys(${ids})`

export const deleteExpiredAnswers = batchOf(
  statement('idempotency.delete_expired', () =>
    deletionOf(idempotencyKeys, sql`created_at < now() - interval '24 hours'`),
  ),
)
