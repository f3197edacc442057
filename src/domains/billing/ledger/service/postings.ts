import type { Transaction } from '../../../../database/client.ts'
import type { Caller } from '../../../../events/caller.ts'
import { record } from '../../../../events/record.ts'
import { newId } from '../../../../lib/ids.ts'
import { MAX_CENTS } from '../../../../lib/money.ts'
import { accountEvents } from '../events.ts'
import { type AccountRow, lockOwnAccounts, openOwnAccounts } from '../queries/accounts.ts'
import { write } from './transfers.ts'

const PURPOSES = ['payments', 'provider', 'fees'] as const
type OwnAccounts = Record<(typeof PURPOSES)[number], AccountRow>

interface Settled {
  /** Of the payment or refund. */
  id: string
  organizationId: string
  currency: string
  amountCents: number
}

/**
 * Posts a captured payment from `payments` to `provider`, and what the provider keeps of it from there to `fees`; in the
 * transaction that settles the payment. Posts nothing where a balance would pass ±(2^53 − 1): the money is taken, so the
 * payment must be settled all the same, and reconciliation reports it.
 */
export async function postPayment(
  tx: Transaction,
  caller: Caller,
  { feeCents, ...payment }: Settled & { feeCents: number },
): Promise<void> {
  const own = await lockOwn(tx, caller, payment)
  const posted = await postBetween(tx, caller, own.payments, own.provider, 'payment', payment)
  if (posted && feeCents > 0)
    await postBetween(tx, caller, own.provider, own.fees, 'fee', { ...payment, amountCents: feeCents })
}

/** Posts a refund that was paid back, in the transaction that settles it; as `postPayment`. */
export async function postRefund(tx: Transaction, caller: Caller, refund: Settled): Promise<void> {
  const own = await lockOwn(tx, caller, refund)
  await postBetween(tx, caller, own.provider, own.payments, 'refund', refund)
}

/** Locks the accounts that the books keep by themselves; opens them for the first payment in a currency. */
async function lockOwn(tx: Transaction, caller: Caller, { organizationId, currency }: Settled): Promise<OwnAccounts> {
  const key = { organizationId, currency }
  const locked = await lockOwnAccounts(tx, key)
  if (locked.length === PURPOSES.length) return byPurpose(locked)
  const ids = PURPOSES.map(() => newId())
  const opened = await openOwnAccounts(tx, { ...key, ids, purposes: [...PURPOSES] })
  if (opened.length > 0) await record(tx, caller, accountEvents.created, ...opened)
  return byPurpose(await lockOwnAccounts(tx, key))
}

const byPurpose = (accounts: AccountRow[]) =>
  Object.fromEntries(accounts.map(account => [account.purpose, account])) as unknown as OwnAccounts

/** Returns whether the balances have room for the amount. The two are locked, and carry their balances along. */
async function postBetween(
  tx: Transaction,
  caller: Caller,
  from: AccountRow,
  to: AccountRow,
  source: 'payment' | 'refund' | 'fee',
  { id, organizationId, currency, amountCents }: Settled,
): Promise<boolean> {
  from.balanceCents -= amountCents
  to.balanceCents += amountCents
  if (from.balanceCents < -MAX_CENTS || to.balanceCents > MAX_CENTS) return false
  await write(tx, caller, {
    organizationId,
    currency,
    amountCents,
    fromAccountId: from.id,
    toAccountId: to.id,
    reference: null,
    reversesId: null,
    source,
    sourceId: id,
  })
  return true
}
