import type { Transaction } from '../../../../database/client.ts'
import { bySystem, type Caller } from '../../../../events/caller.ts'
import { record } from '../../../../events/record.ts'
import { orNotFound } from '../../../../lib/errors.ts'
import { subscriptionEvents } from '../events.ts'
import { mailNotice } from '../jobs/mail.ts'
import { findOpenInvoices, findRecurringPrice, lockSubscription, settleInvoices } from '../queries.ts'
import { type App, bill, charge, type Locked, lockedOf, save } from './billing.ts'
import { periodLine } from './lines.ts'
import { afterAnchor, afterDays } from './periods.ts'

/** Days until a charge that has failed is repeated: after the first failure, the second, and so on. */
const REPEAT_AFTER_DAYS = [1, 3, 5, 7]

/** What becomes of a subscription whose charge was repeated in vain. */
export type LastResort = 'canceled' | 'unpaid'

/**
 * Does the next thing that is due for a subscription at the time `now`: begins one period, repeats a charge, or applies
 * how its payments have ended. Returns whether more is due, so that after a standstill it catches up period by period.
 * The lock on the subscription makes it happen once, whoever else does the same.
 */
export async function advance(
  app: App,
  tx: Transaction,
  id: string,
  now: string,
  lastResort: LastResort,
): Promise<boolean> {
  await tx.queue(id)
  const row = await lockSubscription(tx, { id })
  if (!row) return false
  const subscription = lockedOf(row)
  const { status, nextAt } = subscription
  const invoices = await openInvoices(tx, id)
  const failed = invoices.filter(({ isBeingPaid }) => !isBeingPaid).map(({ invoiceId }) => invoiceId)
  const isDue = nextAt !== null && nextAt <= now
  const caller = bySystem(tx)
  if (status === 'past_due' || status === 'unpaid') {
    if (invoices.length === 0) return recover(tx, caller, subscription, now)
    if (status === 'unpaid' || failed.length === 0) return false
    if (nextAt === null) return fail(app, tx, caller, subscription, now, lastResort)
    return isDue && repeatCharges(app, tx, caller, subscription, failed)
  }
  if (status !== 'active' && status !== 'trialing') return false
  if (failed.length > 0) return fail(app, tx, caller, subscription, now, lastResort)
  return isDue && beginPeriod(app, tx, caller, subscription, now)
}

/** Returns the invoices that are still to be paid, and forgets those that are not. */
async function openInvoices(tx: Transaction, subscriptionId: string) {
  const all = await findOpenInvoices(tx, { subscriptionId })
  const ended = all.filter(({ isOpen }) => !isOpen).map(({ invoiceId }) => invoiceId)
  if (ended.length > 0) await settleInvoices(tx, { subscriptionId, invoiceIds: ended })
  return all.filter(({ isOpen }) => isOpen)
}

async function fail(
  app: App,
  tx: Transaction,
  caller: Caller,
  subscription: Locked,
  now: string,
  lastResort: LastResort,
): Promise<boolean> {
  const failedCharges = subscription.failedCharges + 1
  const days = REPEAT_AFTER_DAYS[failedCharges - 1]
  const isOver = days === undefined
  const status = isOver ? lastResort : 'past_due'
  const saved = await save(tx, {
    ...subscription,
    status,
    failedCharges,
    nextAt: isOver ? null : afterDays(now, days),
    canceledAt: status === 'canceled' ? now : null,
  })
  if (status !== subscription.status) await record(tx, caller, subscriptionEvents[status], saved)
  await app.jobs.enqueue(tx, mailNotice, { subscriptionId: saved.id, failedCharges })
  return false
}

async function repeatCharges(app: App, tx: Transaction, caller: Caller, subscription: Locked, invoiceIds: string[]) {
  await save(tx, { ...subscription, nextAt: null })
  for (const id of invoiceIds) await charge(app, tx, caller, subscription, id)
  return false
}

/** Everything is paid. What was unpaid begins a new period now: nothing is charged for the time between. */
async function recover(tx: Transaction, caller: Caller, subscription: Locked, now: string): Promise<boolean> {
  const again = subscription.status === 'unpaid' ? { anchorAt: now, cycle: 0, periodEnd: now } : {}
  const recovered = { ...subscription, ...again, status: 'active', failedCharges: 0 } as const
  const saved = await save(tx, { ...recovered, nextAt: recovered.periodEnd })
  await record(tx, caller, subscriptionEvents.recovered, saved)
  return recovered.periodEnd <= now
}

async function beginPeriod(app: App, tx: Transaction, caller: Caller, subscription: Locked, now: string) {
  if (subscription.cancelAtPeriodEnd) {
    const canceledAt = subscription.periodEnd
    const saved = await save(tx, { ...subscription, status: 'canceled', canceledAt, nextAt: null })
    await record(tx, caller, subscriptionEvents.canceled, saved)
    return false
  }
  const { changed, price } = await withNextPlan(tx, subscription)
  const { anchorAt, periodEnd: periodStart, quantity } = changed
  const cycle = changed.cycle + 1
  const periodEnd = afterAnchor(anchorAt, price, cycle)
  const lines = [periodLine({ price, quantity }, { periodStart, periodEnd })]
  const { currency } = price
  const billed = await bill(app, tx, caller, changed, { startsAt: periodStart, currency, lines, isPeriod: true })
  const saved = await save(tx, { ...billed, status: 'active', cycle, periodStart, periodEnd, nextAt: periodEnd })
  await record(tx, caller, subscriptionEvents.renewed, saved)
  return periodEnd <= now
}

/** Applies the change that was to come with the next period. Another recurrence is counted from its beginning. */
async function withNextPlan(tx: Transaction, subscription: Locked) {
  const { productId, priceId, quantity, nextProductId, nextPriceId, nextQuantity, periodEnd } = subscription
  const before = orNotFound(await findRecurringPrice(tx, { id: priceId }))
  const price = nextPriceId === null ? before : orNotFound(await findRecurringPrice(tx, { id: nextPriceId }))
  const isAsBefore = price.interval === before.interval && price.intervalCount === before.intervalCount
  const changed: Locked = {
    ...subscription,
    productId: nextProductId ?? productId,
    priceId: price.id,
    quantity: nextQuantity ?? quantity,
    nextProductId: null,
    nextPriceId: null,
    nextQuantity: null,
    ...(isAsBefore ? {} : { anchorAt: periodEnd, cycle: 0 }),
  }
  return { changed, price }
}
