import { sql } from 'drizzle-orm'
import { defineList } from '../../../../database/list.ts'
import { one, type Params, statement } from '../../../../database/statement.ts'
import { Account } from '../schemas.ts'
import { accounts } from '../tables.ts'

export type AccountRow = Account & { version: number }

const accountColumns = sql`id, organization_id, kind, currency, purpose, name, balance_cents,
  held_cents, version, created_at, updated_at`

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

/** Opens those that an organization does not have yet; always in the same order, so that two callers do not deadlock. */
export const openOwnAccounts = statement(
  'ledger.open_own_accounts',
  (_, $: Params<{ ids: string[]; purposes: string[]; organizationId: string; currency: string }>) => sql<AccountRow>`
    insert into ${accounts} (id, organization_id, kind, currency, purpose)
    select id, ${$.organizationId}, 'system', ${$.currency}, purpose
    from unnest(${$.ids}::uuid[], ${$.purposes}::text[]) with ordinality as o(id, purpose, n) order by n
    on conflict do nothing returning ${accountColumns}`,
)

/** Locks the accounts that the books keep by themselves for an organization, in the order of `lockAccounts`. */
export const lockOwnAccounts = statement(
  'ledger.lock_own_accounts',
  (_, $: Params<{ organizationId: string; currency: string }>) => sql<AccountRow>`
    select ${accountColumns} from ${accounts}
    where organization_id = ${$.organizationId} and currency = ${$.currency} and kind = 'system' and purpose <> 'general'
    order by id for no key update`,
)

/** Locks the accounts until the commit, in the order of their ids, so that two transfers never wait for each other. */
export const lockAccounts = statement(
  'ledger.lock_accounts',
  (_, $: Params<{ ids: string[] }>) => sql<AccountRow>`
    select ${accountColumns} from ${accounts} where id = any(${$.ids}::uuid[]) order by id for no key update`,
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
