import { sql } from 'drizzle-orm'
import { defineList } from '../../../database/list.ts'
import { one, type Params, statement } from '../../../database/statement.ts'
import { Account, Entry, type Transfer } from './schemas.ts'
import { accounts, entries, transfers } from './tables.ts'

export type AccountRow = Account & { version: number }
type TransferRow = Transfer & { version: number }

const accountColumns = sql`id, organization_id, kind, currency, name, balance_cents, version, created_at, updated_at`

export const insertAccount = one(
  statement(
    'ledger.insert_account',
    (_, $: Params<Pick<Account, 'id' | 'organizationId' | 'kind' | 'currency' | 'name'>>) => sql<AccountRow>`
      insert into ${accounts} (id, organization_id, kind, currency, name)
      values (${$.id}, ${$.organizationId}, ${$.kind}, ${$.currency}, ${$.name}) returning ${accountColumns}`,
  ),
)

export const findAccount = one(
  statement(
    'ledger.find_account',
    (_, $: Params<{ id: string }>) => sql<AccountRow>`select ${accountColumns} from ${accounts} where id = ${$.id}`,
  ),
)

/** Locks the accounts until the commit, in the order of their ids, so that two transfers never wait for each other. */
export const lockAccounts = statement(
  'ledger.lock_accounts',
  (_, $: Params<{ ids: string[] }>) => sql<AccountRow>`
    select ${accountColumns} from ${accounts} where id = any(${$.ids}::uuid[]) order by id for no key update`,
)

/** Moves the amount: both balances, both entries and the transfer in one statement. */
export const insertTransfer = one(
  statement(
    'ledger.insert_transfer',
    (_, $: Params<Omit<Transfer, 'updatedAt'>>) => sql<TransferRow>`
      with moved as (
        update ${accounts} a set balance_cents = a.balance_cents + d.amount, entry_count = a.entry_count + 1,
          version = a.version + 1, updated_at = now()
        from (values (${$.fromAccountId}::uuid, -${$.amountCents}::bigint),
          (${$.toAccountId}::uuid, ${$.amountCents}::bigint)) as d(id, amount)
        where a.id = d.id
        returning a.id, a.entry_count, d.amount, a.balance_cents
      ),
      entered as (
        insert into ${entries} (account_id, seq, transfer_id, amount_cents, balance_cents, created_at)
        select id, entry_count, ${$.id}::uuid, amount, balance_cents, ${$.createdAt}::timestamptz from moved
      )
      insert into ${transfers} as t (id, organization_id, from_account_id, to_account_id, amount_cents, currency, reference,
        reverses_id, created_by, created_at)
      values (${$.id}::uuid, ${$.organizationId}, ${$.fromAccountId}::uuid, ${$.toAccountId}::uuid, ${$.amountCents}::bigint,
        ${$.currency}, ${$.reference}, ${$.reversesId}, ${$.createdBy}, ${$.createdAt}::timestamptz)
      returning t.*, t.created_at as updated_at, 1 as version`,
  ),
)

/** The version of a transfer is 2 when it is reversed; nothing else happens to one. */
export const findTransfer = one(
  statement(
    'ledger.find_transfer',
    (_, $: Params<{ id: string }>) => sql<TransferRow>`
      select t.*, coalesce((select r.created_at from ${transfers} r where r.reverses_id = t.id), t.created_at) as updated_at,
        1 + exists (select from ${transfers} r where r.reverses_id = t.id)::int as version
      from ${transfers} t where t.id = ${$.id}`,
  ),
)

const byId = { on: accounts.id, key: 'id', type: 'uuid' } as const

export const listAccounts = defineList<Account, { organizationId: string }>({
  name: 'ledger.accounts',
  item: Account,
  columns: accountColumns,
  from: sql`${accounts}`,
  where: $ => sql`organization_id = ${$.organizationId}`,
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
})

const bySeq = { on: entries.seq, key: 'seq', type: 'bigint' } as const

export const listEntries = defineList<Entry, { accountId: string }>({
  name: 'ledger.entries',
  item: Entry,
  columns: sql`seq, account_id, transfer_id, amount_cents, balance_cents, created_at`,
  from: sql`${entries}`,
  where: $ => sql`account_id = ${$.accountId}`,
  id: bySeq,
  sorts: { seq: bySeq },
  defaultSort: '-seq',
})

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
