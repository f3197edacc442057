import { eq, sql } from 'drizzle-orm'
import { defineList } from '../../../../database/list.ts'
import { one, type Params, statement } from '../../../../database/statement.ts'
import { Hold } from '../schemas.ts'
import { accounts, holds } from '../tables.ts'

export type HoldRow = Hold & { version: number }

type NewHold = Pick<Hold, 'id' | 'accountId' | 'amountCents' | 'reference' | 'expiresAt' | 'createdBy'>

/** Reserves the amount; returns undefined when the account has less, or is a system account. */
export const insertHold = one(
  statement(
    'holds.insert',
    (_, $: Params<NewHold>) => sql<HoldRow>`
      with reserved as (
        update ${accounts} set held_cents = held_cents + ${$.amountCents}::bigint, version = version + 1, updated_at = now()
        where id = ${$.accountId} and kind = 'normal' and balance_cents - held_cents >= ${$.amountCents}::bigint
        returning organization_id, id, currency
      )
      insert into ${holds} (id, organization_id, account_id, amount_cents, currency, reference, expires_at, created_by)
      select ${$.id}, organization_id, id, ${$.amountCents}::bigint, currency, ${$.reference}, ${$.expiresAt},
        ${$.createdBy}
      from reserved returning *`,
  ),
)

export const findHold = one(
  statement('holds.find', (_, $: Params<{ id: string }>) => sql<HoldRow>`select * from ${holds} where id = ${$.id}`),
)

type Ending = { ids: string[]; status: string; capturedCents: number }

/** Ends holds that have not ended, and frees what they reserve. Their accounts must be locked. */
export const endHolds = statement(
  'holds.end',
  (_, $: Params<Ending>) => sql<HoldRow>`
    with ended as (
      update ${holds} set status = ${$.status}, captured_cents = ${$.capturedCents}, version = version + 1, updated_at = now()
      where id = any(${$.ids}::uuid[]) and status = 'held' returning *
    ),
    freed as (
      update ${accounts} a set held_cents = a.held_cents - e.amount, version = a.version + 1, updated_at = now()
      from (select account_id, sum(amount_cents)::bigint as amount from ended group by account_id) e
      where a.id = e.account_id
    )
    select * from ended order by id`,
)

export const findExpiredHolds = statement(
  'holds.expired',
  (_, $: Params<{ limit: number }>) => sql<{ id: string; accountId: string }>`
    select id, account_id from ${holds} where status = 'held' and expires_at <= now() order by expires_at limit ${$.limit}`,
)

const byId = { on: holds.id, key: 'id', type: 'uuid' } as const

export const listHolds = defineList<Hold, { accountId: string }, { status?: string }>({
  name: 'holds.list',
  item: Hold,
  columns: sql`*`,
  from: sql`${holds}`,
  where: $ => eq(holds.accountId, $.accountId),
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
  filters: { status: $ => eq(holds.status, sql`${$.status}`) },
})
