import type { Transaction } from '../../../../database/client.ts'
import { type Caller, userIdOf } from '../../../../events/caller.ts'
import { record } from '../../../../events/record.ts'
import { invalid, orNotFound, requireVersion } from '../../../../lib/errors.ts'
import { newId } from '../../../../lib/ids.ts'
import { findOwners } from '../../../organizations/queries/members.ts'
import { findUser } from '../../../users/queries/users.ts'
import { subscriptionErrors } from '../errors.ts'
import { subscriptionEvents } from '../events.ts'
import {
  findNow,
  findOfferedPrice,
  findRecurringPrice,
  insertSubscription,
  lockSubscription,
  type RecurringPrice,
  type SubscriptionRow,
} from '../queries.ts'
import type { CreateSubscription, UpdateSubscription } from '../schemas.ts'
import { type App, bill, collect, invoiceFor, type Locked, lockedOf, save } from './billing.ts'
import { periodLine, prorationLines } from './lines.ts'
import { afterAnchor, afterDays, afterMs, msBetween } from './periods.ts'
import { advance, type LastResort } from './renewal.ts'

export interface Billing {
  app: App
  lastResort: LastResort
}

const timeOf = async (tx: Transaction): Promise<string> => orNotFound(await findNow(tx, {})).now

/** Throws `validation_failed`. */
async function offered(tx: Transaction, productId: string, priceId: string | undefined): Promise<RecurringPrice> {
  const price = await findOfferedPrice(tx, { productId, priceId: priceId ?? null })
  if (price) return price
  throw priceId === undefined
    ? invalid('#/productId', 'names no product that is sold with a recurring price')
    : invalid('#/priceId', 'is no recurring price that the product has now')
}

/** Throws `validation_failed`. */
function requireMethod({ payments }: App, method: string | undefined): void {
  if (method === undefined && payments.usualMethod === undefined)
    throw invalid('#/paymentMethod', 'is needed: this provider has no default')
  if (method !== undefined && !payments.takes(method))
    throw invalid('#/paymentMethod', `is no payment method of the ${payments.name}`)
}

/** Returns the given address, that of the caller, or of an API key that of an owner. Throws `validation_failed`. */
async function emailOf(tx: Transaction, caller: Caller, organizationId: string, given: string | undefined) {
  if (given !== undefined) return given
  const userId = userIdOf(caller)
  const ids = userId === null ? (await findOwners(tx, { organizationId })).map(owner => owner.userId) : [userId]
  for (const id of ids) {
    const email = (await findUser(tx, { id }))?.email
    if (email) return email
  }
  throw invalid('#/customerEmail', 'is needed: nobody here has an address')
}

/** Starts a subscription, with its trial or its first period. Throws `validation_failed`, `amount_out_of_range`. */
export const createSubscription = (
  { app }: Billing,
  caller: Caller,
  organizationId: string,
  { productId, priceId, quantity = 1, trialDays, customerEmail, paymentMethod }: CreateSubscription,
  id = newId(),
) =>
  caller.transaction(async tx => {
    requireMethod(app, paymentMethod)
    const price = await offered(tx, productId, priceId)
    const now = await timeOf(tx)
    const trialEndsAt = trialDays === undefined ? null : afterDays(now, trialDays)
    const period = { periodStart: now, periodEnd: trialEndsAt ?? afterAnchor(now, price, 1) }
    const payer = {
      id,
      organizationId,
      customerEmail: await emailOf(tx, caller, organizationId, customerEmail),
      paymentMethod: paymentMethod ?? null,
    }
    const given = { currency: price.currency, lines: [periodLine({ price, quantity }, period)] }
    const invoice = trialEndsAt === null ? await invoiceFor(tx, caller, payer, given) : undefined
    const row = await insertSubscription(tx, {
      ...payer,
      ...period,
      productId,
      priceId: price.id,
      quantity,
      status: trialEndsAt === null ? 'active' : 'trialing',
      anchorAt: trialEndsAt ?? now,
      cycle: trialEndsAt === null ? 1 : 0,
      trialEndsAt,
      latestInvoiceId: invoice?.id ?? null,
      createdBy: userIdOf(caller),
    })
    if (invoice) await collect(app, tx, caller, payer, invoice, { startsAt: now, isPeriod: true })
    return recorded(tx, caller, 'created', orNotFound(row))
  })

async function recorded(
  tx: Transaction,
  caller: Caller,
  type: keyof typeof subscriptionEvents,
  row: SubscriptionRow,
): Promise<SubscriptionRow> {
  await record(tx, caller, subscriptionEvents[type], row)
  return row
}

const isRunning = ({ status }: Locked): boolean => status === 'active' || status === 'trialing'

/** Locks a subscription for a change, after what is due before it. Throws `precondition_failed`, `subscription_canceled`. */
async function lockForChange({ app, lastResort }: Billing, tx: Transaction, id: string, ifMatch: number[] | null) {
  requireVersion(orNotFound(await lockSubscription(tx, { id })), ifMatch)
  const now = await timeOf(tx)
  while (await advance(app, tx, id, now, lastResort));
  const subscription = lockedOf(orNotFound(await lockSubscription(tx, { id })))
  if (subscription.status === 'canceled') throw subscriptionErrors.subscription_canceled()
  return { subscription, now }
}

/**
 * Throws `validation_failed`, `subscription_not_active`, `subscription_canceled`, `precondition_failed`,
 * `amount_out_of_range`.
 */
export const updateSubscription = (
  billing: Billing,
  caller: Caller,
  id: string,
  { productId, priceId, quantity, when = 'now', customerEmail, paymentMethod }: UpdateSubscription,
  ifMatch: number[] | null,
) =>
  caller.transaction(async tx => {
    if (paymentMethod !== undefined) requireMethod(billing.app, paymentMethod)
    const { subscription: found, now } = await lockForChange(billing, tx, id, ifMatch)
    const subscription = {
      ...found,
      customerEmail: customerEmail ?? found.customerEmail,
      paymentMethod: paymentMethod ?? found.paymentMethod,
    }
    const changesPlan = productId !== undefined || priceId !== undefined || quantity !== undefined
    if (!changesPlan) return recorded(tx, caller, 'updated', await save(tx, subscription))
    if (!isRunning(subscription)) throw subscriptionErrors.subscription_not_active()
    const before = orNotFound(await findRecurringPrice(tx, { id: subscription.priceId }))
    const isSamePrice = productId === undefined && priceId === undefined
    const price = isSamePrice ? before : await offered(tx, productId ?? subscription.productId, priceId)
    if (price.currency !== before.currency)
      throw invalid(priceId === undefined ? '#/productId' : '#/priceId', `is not in ${before.currency}`)
    const plan = { price, quantity: quantity ?? subscription.quantity }
    const changed =
      when === 'now'
        ? await changeNow(billing.app, tx, caller, subscription, before, plan, now)
        : later(subscription, plan)
    return recorded(tx, caller, 'updated', await save(tx, changed))
  })

interface Plan {
  price: RecurringPrice
  quantity: number
}

const later = (subscription: Locked, { price, quantity }: Plan): Locked => ({
  ...subscription,
  nextProductId: price.productId,
  nextPriceId: price.id,
  nextQuantity: quantity,
})

/** Changes the plan at once. Another recurrence begins a new period; the trial costs nothing in any plan. */
async function changeNow(
  app: App,
  tx: Transaction,
  caller: Caller,
  subscription: Locked,
  oldPrice: RecurringPrice,
  { price, quantity }: Plan,
  now: string,
): Promise<Locked> {
  const changed: Locked = {
    ...subscription,
    productId: price.productId,
    priceId: price.id,
    quantity,
    nextProductId: null,
    nextPriceId: null,
    nextQuantity: null,
  }
  if (subscription.status === 'trialing') return changed
  const before = { price: oldPrice, quantity: subscription.quantity }
  const { currency } = price
  const [unused, remaining] = prorationLines(before, { price, quantity }, subscription, now)
  const isAsBefore = price.interval === oldPrice.interval && price.intervalCount === oldPrice.intervalCount
  if (isAsBefore)
    return bill(app, tx, caller, changed, { startsAt: now, currency, lines: [unused, remaining], isPeriod: false })
  const periodEnd = afterAnchor(now, price, 1)
  const begun = { ...changed, anchorAt: now, cycle: 1, periodStart: now, periodEnd, nextAt: periodEnd }
  const lines = [unused, periodLine({ price, quantity }, begun)]
  return bill(app, tx, caller, begun, { startsAt: now, currency, lines, isPeriod: false })
}

/** Stops the clock: nothing is charged, and what is paid for lasts longer. Throws as `cancelSubscription`. */
export const pauseSubscription = (billing: Billing, caller: Caller, id: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const { subscription, now } = await lockForChange(billing, tx, id, ifMatch)
    if (!isRunning(subscription)) throw subscriptionErrors.subscription_not_active()
    const paused = { ...subscription, status: 'paused', pausedAt: now, nextAt: null } as const
    return recorded(tx, caller, 'paused', await save(tx, paused))
  })

/**
 * Goes on with a subscription that is paused, or that would end with its period. Throws `subscription_not_stopped`,
 * `subscription_canceled`, `precondition_failed`.
 */
export const resumeSubscription = (billing: Billing, caller: Caller, id: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const { subscription, now } = await lockForChange(billing, tx, id, ifMatch)
    const { pausedAt, cancelAtPeriodEnd } = subscription
    if (pausedAt === null && !cancelAtPeriodEnd) throw subscriptionErrors.subscription_not_stopped()
    const running = pausedAt === null ? subscription : afterPause(subscription, pausedAt, now)
    return recorded(tx, caller, 'resumed', await save(tx, { ...running, cancelAtPeriodEnd: false }))
  })

/** The period, and a trial, last longer by the time of the pause. */
function afterPause(subscription: Locked, pausedAt: string, now: string): Locked {
  const pauseMs = msBetween(pausedAt, now)
  const { trialEndsAt } = subscription
  const periodEnd = afterMs(subscription.periodEnd, pauseMs)
  const isTrialing = trialEndsAt !== null && trialEndsAt > pausedAt
  return {
    ...subscription,
    status: isTrialing ? 'trialing' : 'active',
    trialEndsAt: isTrialing ? periodEnd : trialEndsAt,
    pausedAt: null,
    anchorAt: periodEnd,
    cycle: 0,
    periodEnd,
    nextAt: periodEnd,
  }
}

/**
 * Ends a subscription with its period, or at once; one that is not running ends at once. Nothing is paid back. Throws
 * `subscription_canceled`, `precondition_failed`.
 */
export const cancelSubscription = (
  billing: Billing,
  caller: Caller,
  id: string,
  when: 'now' | 'period_end',
  ifMatch: number[] | null,
) =>
  caller.transaction(async tx => {
    const { subscription, now } = await lockForChange(billing, tx, id, ifMatch)
    if (when === 'period_end' && isRunning(subscription))
      return recorded(tx, caller, 'updated', await save(tx, { ...subscription, cancelAtPeriodEnd: true }))
    const canceled = { ...subscription, status: 'canceled', canceledAt: now, nextAt: null } as const
    return recorded(tx, caller, 'canceled', await save(tx, canceled))
  })
