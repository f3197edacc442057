import { eq, sql } from 'drizzle-orm'
import { defineList } from '../../../database/list.ts'
import { one, type Params, statement } from '../../../database/statement.ts'
import { touched } from '../../../database/versions.ts'
import { Deletion } from '../schemas/deletions.ts'
import { deletions } from '../tables.ts'

type DeletionRow = Deletion & { version: number }

const columns = sql`id, organization_id, case when completed_at is null then 'running' else 'completed' end as status, total_rows,
  deleted_rows, requested_by, version, created_at, updated_at, completed_at`

export const insertDeletion = one(
  statement(
    'deletions.insert',
    (_, $: Params<{ id: string; organizationId: string; requestedBy: string | null }>) => sql<DeletionRow>`
      insert into ${deletions} (id, organization_id, requested_by)
      values (${$.id}, ${$.organizationId}, ${$.requestedBy}) returning ${columns}`,
  ),
)

/** Finds a deletion only for the user who requested it: nobody else had access to the end. */
export const findDeletion = one(
  statement(
    'deletions.find',
    (_, $: Params<{ id: string; requestedBy: string }>) => sql<DeletionRow>`
      select ${columns} from ${deletions} where id = ${$.id} and requested_by = ${$.requestedBy}`,
  ),
)

/** Locks the deletion, so that only one worker does a step at a time. */
export const lockDeletion = one(
  statement(
    'deletions.lock',
    (_, $: Params<{ id: string }>) =>
      sql<DeletionRow>`select ${columns} from ${deletions} where id = ${$.id} for update`,
  ),
)

export const setTotalRows = statement('deletions.set_total', (db, $: Params<{ id: string; totalRows: number }>) =>
  db
    .update(deletions)
    .set({ totalRows: sql`${$.totalRows}`, ...touched(deletions) })
    .where(eq(deletions.id, $.id)),
)

export const addDeletedRows = statement('deletions.add', (db, $: Params<{ id: string; rows: number }>) =>
  db
    .update(deletions)
    .set({ deletedRows: sql`${deletions.deletedRows} + ${$.rows}`, ...touched(deletions) })
    .where(eq(deletions.id, $.id)),
)

/** Sets `totalRows` to the rows deleted: rows may have been added or removed by others in the meantime. */
export const completeDeletion = statement('deletions.complete', (db, $: Params<{ id: string }>) =>
  db
    .update(deletions)
    .set({ completedAt: sql`now()`, totalRows: sql`${deletions.deletedRows}`, ...touched(deletions) })
    .where(eq(deletions.id, $.id)),
)

const byId = { on: deletions.id, key: 'id', type: 'uuid' } as const

export const listDeletions = defineList<Deletion, { requestedBy: string }>({
  name: 'deletions.list',
  item: Deletion,
  columns,
  from: sql`${deletions}`,
  where: $ => sql`requested_by = ${$.requestedBy}`,
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
})
