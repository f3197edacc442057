import type { Executor } from '../../../../database/executor.ts'
import type { Log } from '../../../../database/log.ts'
import { findUnbalancedAccounts, findUnbalancedTransfers } from '../queries/reconciliation.ts'

/** Compares every balance with its entries, and the entries of each transfer with zero; logs each difference. */
export async function reconcile(on: Executor, log: Log): Promise<{ accounts: string[]; transfers: string[] }> {
  const accounts = (await findUnbalancedAccounts(on, {})).map(({ id }) => id)
  const transfers = (await findUnbalancedTransfers(on, {})).map(({ id }) => id)
  if (accounts.length + transfers.length > 0) log.warn({ accounts, transfers }, 'the books do not balance')
  return { accounts, transfers }
}
