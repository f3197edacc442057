import { sql } from 'drizzle-orm'
import { statement } from '../../../../database/statement.ts'
import { accounts, entries, transfers } from '../tables.ts'

/** The accounts whose balance is not the sum of their entries, or whose entries are not numbered without gaps. */
export const findUnbalancedAccounts = statement(
  'ledger.unbalanced_accounts',
  () => sql<{ id: string; organizationId: string }>`
    select a.id, a.organization_id from ${accounts} a
    left join (select account_id, sum(amount_cents) as amount, count(*) as n, max(seq) as seq
      from ${entries} group by account_id) e on e.account_id = a.id
    where a.balance_cents <> coalesce(e.amount, 0) or a.entry_count <> coalesce(e.n, 0)
      or a.entry_count <> coalesce(e.seq, 0)`,
)

/** The transfers whose entries do not add up to zero, or that do not have two. */
export const findUnbalancedTransfers = statement(
  'ledger.unbalanced_transfers',
  () => sql<{ id: string }>`
    select coalesce(t.id, e.transfer_id) as id from ${transfers} t
    full join (select transfer_id, sum(amount_cents) as amount, count(*) as n
      from ${entries} group by transfer_id) e on e.transfer_id = t.id
    where coalesce(e.amount, 1) <> 0 or coalesce(e.n, 0) <> 2 or t.id is null`,
)
