import { type Money, minorDigits } from '../../lib/money.ts'

/**
 * Where Stripe counts in another unit than ISO 4217 says (docs.stripe.com/currencies): how many of its units one of ours
 * is. It takes amounts of three decimals in tens only.
 */
const FACTORS: Readonly<Record<string, number>> = { ISK: 100, UGX: 100, MGA: 1 / 100 }
const THREE_DIGITS = 3
const TEN = 10

const factorOf = (currency: string): number => FACTORS[currency] ?? 1

/** Returns the amount as Stripe counts it; undefined when it cannot take exactly that. */
export function toStripeAmount({ amountCents, currency }: Money): number | undefined {
  const amount = amountCents * factorOf(currency)
  const step = minorDigits.get(currency) === THREE_DIGITS ? TEN : 1
  return Number.isSafeInteger(amount) && amount % step === 0 ? amount : undefined
}

/** `currency` in any case. */
export const fromStripeAmount = (amount: number, currency: string): number =>
  Math.round(amount / factorOf(currency.toUpperCase()))
