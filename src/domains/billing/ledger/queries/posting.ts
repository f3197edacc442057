import { sql } from 'drizzle-orm'
import type { Executor } from '../../../../database/executor.ts'
import { type Params, statement } from '../../../../database/statement.ts'
import type { Caller } from '../../../../events/caller.ts'
import { eventColumns, insertEvents, newEvent, withData } from '../../../../events/record.ts'
import type { KeptAnswer } from '../../../../lib/idempotency.ts'
import { answerColumns, answerFields, claimedKeys, insertAnswers } from '../../../../plugins/idempotency/queries.ts'
import { transferEvents } from '../events.ts'
import { entries, transfers } from '../tables.ts'
import type { TransferRow } from './transfers.ts'

/** A transfer of `caller`, who has the role in the organization of both accounts. */
export interface NewTransfer {
  caller: Caller
  transfer: TransferRow
  /** Whether the caller may use system accounts. */
  mayUseSystem: boolean
  answer: KeptAnswer
}

/**
 * Makes the transfers of many callers, with their entries, events and the answers for their keys, in one statement and
 * one commit. One that cannot be made is left out and never fails the others: a key that is not free, an account that
 * does not fit, a balance too small. `post_transfers` locks the accounts in the order of their ids, judges the transfers
 * one after another in the order of `n`, and writes the balances (migration 0021).
 */
const post = statement(
  'ledger.post_transfers',
  (_, $: Params<{ rows: string }>) => sql<{ id: string }>`
    with e as materialized (
      select * from jsonb_to_recordset(${$.rows}::jsonb) as e(n integer, id uuid, "fromAccountId" uuid, "toAccountId" uuid,
        "amountCents" bigint, currency text, reference text, "createdBy" uuid, "createdAt" timestamptz, "mayUseSystem" boolean,
        ${answerColumns}, ${eventColumns})
    ),
    free as materialized (
      select e.* from ${claimedKeys(sql`(select array_agg("keyId") from e)`)} c join e on e."keyId" = c.id
    ),
    posted as materialized (
      select p.* from (
        select array_agg(id order by n) as ids, array_agg("fromAccountId" order by n) as froms,
          array_agg("toAccountId" order by n) as tos, array_agg("organizationId" order by n) as organizations,
          array_agg("amountCents" order by n) as amounts, array_agg(currency order by n) as currencies,
          array_agg("mayUseSystem" order by n) as may_use_system
        from free) f
      cross join lateral post_transfers(f.ids, f.froms, f.tos, f.organizations, f.amounts, f.currencies, f.may_use_system) p
    ),
    entered as (
      insert into ${entries} (account_id, seq, transfer_id, amount_cents, balance_cents, created_at)
      select p.account_id, p.seq, p.transfer_id, p.amount, p.balance, e."createdAt" from posted p join e on e.id = p.transfer_id
    ),
    inserted as (
      insert into ${transfers} (id, organization_id, from_account_id, to_account_id, amount_cents, currency, reference,
        created_by, created_at)
      select e.id, e."organizationId", e."fromAccountId", e."toAccountId", e."amountCents", e.currency, e.reference,
        e."createdBy", e."createdAt"
      from e join posted p on p.transfer_id = e.id and p.account_id = e."fromAccountId"
      returning id
    ),
    logged as (${insertEvents(sql`e join inserted on inserted.id = e."targetId"`)}),
    kept as (${insertAnswers(sql`e join inserted on inserted.id = e."targetId"`)})
    select id from inserted`,
)

/** Returns the ids of the transfers that were made. */
export async function postTransfers(on: Executor, rows: readonly NewTransfer[]): Promise<Set<string>> {
  const made = await post(on, { rows: `[${rows.map(recordOf).join(',')}]` })
  return new Set(made.map(({ id }) => id))
}

/** Puts the transfer, the answer for its key and its event into one object; they have only the organization in common. */
function recordOf({ caller, transfer, mayUseSystem, answer }: NewTransfer, n: number): string {
  const { id: targetId, organizationId } = transfer
  const event = newEvent({ caller, type: transferEvents.created as never, targetId, organizationId })
  return withData(
    { n, mayUseSystem, ...transfer, ...answerFields(answer), ...event },
    transferEvents.created.serialize(transfer),
  )
}
