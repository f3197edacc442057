import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { addDeletedRows, completeDeletion, lockDeletion, setTotalRows } from '../queries/deletions.ts'
import { deleteOrganizationRow } from '../queries/organizations.ts'

/** Rows in a batch: some 50 ms of work, so locks are short and a lost step costs little. */
const BATCH_ROWS = 1_000

/**
 * Does the next step of a deletion; returns whether there is another. Each step is complete in itself and its progress
 * is stored in the row of the deletion, so the deletion continues after any failure, and repeating a step does no harm.
 */
export async function eraseNext({ tenancy }: FastifyInstance, tx: Transaction, id: string): Promise<boolean> {
  const deletion = await lockDeletion(tx, { id })
  if (deletion?.status !== 'running') return false
  const { organizationId, totalRows } = deletion
  if (totalRows === null) await setTotalRows(tx, { id, totalRows: await countRows(tenancy, tx, organizationId) })
  for (const { erase } of tenancy.erasableRows) {
    const rows = await erase(tx, organizationId, BATCH_ROWS)
    if (rows === 0) continue
    await addDeletedRows(tx, { id, rows })
    return true
  }
  if ((await countRows(tenancy, tx, organizationId)) > 0) return true
  await deleteOrganizationRow(tx, { id: organizationId })
  await completeDeletion(tx, { id })
  return false
}

async function countRows(
  { erasableRows }: FastifyInstance['tenancy'],
  tx: Transaction,
  organizationId: string,
): Promise<number> {
  let rows = 0
  for (const { count } of erasableRows) rows += await count(tx, organizationId)
  return rows
}
