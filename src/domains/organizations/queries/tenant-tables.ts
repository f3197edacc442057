import { getTableName, sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { Executor } from '../../../database/executor.ts'
import { one, type Params, statement } from '../../../database/statement.ts'

type Organization = { organizationId: string }
type Counted = { rows: number }

/**
 * Counts and erases the rows of an organization in `table`, which has a column `organization_id`. In batches rows are
 * found by their physical place; one that moves by an update at that moment is found by the next batch. Erasing all at
 * once must not miss a row, so it waits for transactions that are changing one.
 */
export function erasableRows(table: PgTable) {
  const name = getTableName(table)
  const counted = one(
    statement(
      `tenant_tables.count_${name}`,
      (_, $: Params<Organization>) => sql<Counted>`
        select count(*) as rows from ${table} where organization_id = ${$.organizationId}`,
    ),
  )
  const all = one(
    statement(
      `tenant_tables.erase_${name}`,
      (_, $: Params<Organization>) => sql<Counted>`
        with erased as (delete from ${table} where organization_id = ${$.organizationId} returning 1)
        select count(*) as rows from erased`,
    ),
  )
  const batch = one(
    statement(
      `tenant_tables.erase_some_${name}`,
      (_, $: Params<Organization & { limit: number }>) => sql<Counted>`
        with erased as (
          delete from ${table} where ctid = any(array(
            select ctid from ${table} where organization_id = ${$.organizationId} limit ${$.limit}))
          returning 1
        )
        select count(*) as rows from erased`,
    ),
  )
  const rowsOf = (row: Counted | undefined): number => row?.rows ?? 0
  return {
    table: name,
    count: async (on: Executor, organizationId: string) => rowsOf(await counted(on, { organizationId })),
    erase: async (on: Executor, organizationId: string, limit: number | null) =>
      rowsOf(await (limit === null ? all(on, { organizationId }) : batch(on, { organizationId, limit }))),
  }
}
