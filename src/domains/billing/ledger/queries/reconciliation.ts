import { sql } from 'drizzle-orm'
import { one, type Params, statement } from '../../../../database/statement.ts'
import { accounts, entries, holds, transfers } from '../tables.ts'

/** An account, and what its entries and holds add up to; `entriesCents` is null where there are too many to add at once. */
export interface Checked {
  id: string
  organizationId: string
  currency: string
  balanceCents: number
  entryCount: number
  heldCents: number
  holdsCents: number
  entriesCents: number | null
  entriesCount: number
  lastSeq: number
}

type Page = { after: string; limit: number; mostEntries: number }

/** One statement sees one moment: the accounts, their entries and their holds. */
export const checkAccounts = statement(
  'ledger.check_accounts',
  (_, $: Params<Page>) => sql<Checked>`
    select a.id, a.organization_id, a.currency, a.balance_cents, a.entry_count, a.held_cents, h.amount as holds_cents,
      case when a.entry_count <= ${$.mostEntries}::bigint then e.amount end as entries_cents, e.n as entries_count,
      (select coalesce(max(seq), 0) from ${entries} where account_id = a.id) as last_seq
    from (select * from ${accounts} where id > ${$.after} order by id limit ${$.limit}) a
    cross join lateral (select coalesce(sum(amount_cents), 0)::bigint as amount from ${holds}
      where account_id = a.id and status = 'held') h
    cross join lateral (select coalesce(sum(amount_cents), 0)::bigint as amount, count(*) as n
      from (select amount_cents from ${entries} where account_id = a.id limit ${$.mostEntries}::bigint + 1) as own) e
    order by a.id`,
)

/** The sum and number of the entries of an account after one `seq`, up to another. */
export const sumEntries = one(
  statement(
    'ledger.sum_entries',
    (_, $: Params<{ accountId: string; after: number; upTo: number }>) => sql<{ amountCents: number; count: number }>`
      select coalesce(sum(amount_cents), 0)::bigint as amount_cents, count(*) as count from ${entries}
      where account_id = ${$.accountId} and seq > ${$.after}::bigint and seq <= ${$.upTo}::bigint`,
  ),
)

export interface UnbalancedTransfer {
  id: string
  /** Null where there is only an entry. */
  organizationId: string | null
  entriesCents: number
  entriesCount: number
}

/** The transfers of a time whose entries do not add up to zero or are not two, and entries without a transfer. */
export const findUnbalancedTransfers = statement(
  'ledger.unbalanced_transfers',
  (_, $: Params<{ from: string; to: string }>) => sql<UnbalancedTransfer>`
    select coalesce(t.id, e.transfer_id) as id, t.organization_id, coalesce(e.amount, 0)::bigint as entries_cents,
      coalesce(e.n, 0) as entries_count
    from (select id, organization_id from ${transfers}
      where created_at >= ${$.from}::timestamptz and created_at < ${$.to}::timestamptz) t
    full join (select transfer_id, sum(amount_cents) as amount, count(*) as n from ${entries}
      where created_at >= ${$.from}::timestamptz and created_at < ${$.to}::timestamptz group by transfer_id) e
      on e.transfer_id = t.id
    where coalesce(e.amount, 1) <> 0 or coalesce(e.n, 0) <> 2 or t.id is null`,
)
