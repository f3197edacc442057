import { partOf, timesCents } from '../../../../lib/money.ts'
import type { NewInvoiceLine } from '../../invoices/schemas.ts'
import type { RecurringPrice } from '../queries.ts'
import { msBetween } from './periods.ts'

/** What is paid for, and how many. */
export interface Plan {
  price: RecurringPrice
  quantity: number
}

interface Period {
  periodStart: string
  periodEnd: string
}

const day = (time: string): string => time.slice(0, 10)
const span = ({ periodStart, periodEnd }: Period): string => `${day(periodStart)} to ${day(periodEnd)}`

export const periodLine = ({ price, quantity }: Plan, period: Period): NewInvoiceLine => ({
  description: `${price.name}, ${span(period)}`,
  quantity,
  unitAmountCents: price.amountCents,
  taxBasisPoints: price.taxBasisPoints,
})

/**
 * Returns the lines of a change in the middle of a period: what is unused of the old plan is given back, and the rest
 * of the period is charged for the new one. Both are parts by milliseconds, rounded half away from zero.
 */
export function prorationLines(before: Plan, after: Plan, period: Period, now: string) {
  const part = (plan: Plan, title: string, sign: 1 | -1): NewInvoiceLine => ({
    description: `${title} of ${plan.quantity} × ${plan.price.name}, ${span({ ...period, periodStart: now })}`,
    quantity: 1,
    unitAmountCents: sign * restCents(plan, period, now),
    taxBasisPoints: plan.price.taxBasisPoints,
  })
  return [part(before, 'Unused time', -1), part(after, 'Remaining time', 1)] as const
}

/** Throws `amount_out_of_range`. */
export const restCents = ({ price, quantity }: Plan, { periodStart, periodEnd }: Period, now: string): number =>
  partOf(timesCents(price.amountCents, quantity), msBetween(now, periodEnd), msBetween(periodStart, periodEnd))
