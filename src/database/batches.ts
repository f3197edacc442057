import { type SQL, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { Executor } from './executor.ts'
import type { Statement } from './statement.ts'

/** Rows of one transaction: it holds their locks for some tens of milliseconds. */
export const BATCH_ROWS = 1_000

/** Deletes at most `BATCH_ROWS` of the rows of `table`; those that others have locked are left for the next time. */
export const deletionOf = (table: PgTable, where: SQL): SQL<{ count: number }> => sql`
  with gone as (
    delete from ${table} where ctid = any(array(
      select ctid from ${table} where ${where} limit ${sql.raw(String(BATCH_ROWS))} for update skip locked))
    returning 1)
  select count(*)::int as count from gone`

/** Runs a statement of `deletionOf`; returns how many rows it has deleted. There may be more when it is `BATCH_ROWS`. */
export const batchOf =
  <Input>(remove: Statement<Input, { count: number }>) =>
  async (on: Executor, input: Input): Promise<number> =>
    (await remove(on, input))[0]?.count ?? 0
