import { sql } from 'drizzle-orm'
import { defineList } from '../../../../database/list.ts'
import { one, type Params, statement } from '../../../../database/statement.ts'
import { Entry, type Transfer } from '../schemas.ts'
import { accounts, entries, transfers } from '../tables.ts'

export type TransferRow = Transfer & { version: number }

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
        reverses_id, source, source_id, created_by, created_at)
      values (${$.id}::uuid, ${$.organizationId}, ${$.fromAccountId}::uuid, ${$.toAccountId}::uuid, ${$.amountCents}::bigint,
        ${$.currency}, ${$.reference}, ${$.reversesId}, ${$.source},
        ${$.sourceId}, ${$.createdBy}, ${$.createdAt}::timestamptz)
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
