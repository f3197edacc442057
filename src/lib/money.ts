import { data as iso4217 } from 'currency-codes'
import { defineErrors } from './errors.ts'

/** An amount in minor units, the smallest of its currency: 1050 with EUR is 10.50 €, with JPY 1050 ¥, with KWD 1.050. */
export interface Money {
  amountCents: number
  currency: string
}

/** Amounts are integers that JavaScript and JSON hold without loss. */
export const MAX_CENTS = Number.MAX_SAFE_INTEGER
/** A basis point is a hundredth of a percent: a tax rate of 19 % is 1900. */
export const BASIS_POINTS = 10_000

/** Codes of ISO 4217 for metals, units of account, tests and no currency. They have no minor unit. */
const NOT_PAYABLE = ['XAG', 'XAU', 'XBA', 'XBB', 'XBC', 'XBD', 'XDR', 'XPD', 'XPT', 'XSU', 'XTS', 'XUA', 'XXX']

/**
 * The digits after the decimal point of each currency, by its code in ISO 4217. `Intl` is no source for them: it has
 * the digits of everyday use, such as none for HUF, where ISO 4217 and the payment providers have two.
 */
export const minorDigits: ReadonlyMap<string, number> = new Map(
  iso4217.filter(({ code }) => !NOT_PAYABLE.includes(code)).map(({ code, digits }) => [code, digits]),
)

/** The codes of all currencies, in alphabetical order. */
export const currencyCodes: readonly string[] = [...minorDigits.keys()].sort()

export const moneyErrors = defineErrors({
  amount_out_of_range: {
    status: 422,
    title: 'Amount out of range',
    help: 'A sum or product of the request is beyond 2^53 − 1 minor units, more than is counted exactly. Use smaller amounts or quantities.',
  },
  currency_mismatch: {
    status: 422,
    title: 'Currencies do not match',
    help: 'Amounts of different currencies cannot be added, and nothing is converted. Use one currency for everything in the request.',
  },
})

/** Throws `amount_out_of_range`. */
function bounded(amount: bigint): number {
  const cents = Number(amount)
  if (!Number.isSafeInteger(cents)) throw moneyErrors.amount_out_of_range()
  return cents
}

/** Adds amounts of one currency. Throws `amount_out_of_range`. */
export const sumCents = (amounts: readonly number[]): number =>
  bounded(amounts.reduce((sum, amount) => sum + BigInt(amount), 0n))

/** Throws `amount_out_of_range`. */
export const timesCents = (amountCents: number, quantity: number): number =>
  bounded(BigInt(amountCents) * BigInt(quantity))

/**
 * Returns the part of an amount that `share` of `whole` makes, rounded to the nearest minor unit; a half is rounded away
 * from zero, so that a credit of an amount cancels it exactly. Both are integers, `whole` is positive.
 */
export function partOf(amountCents: number, share: number, whole: number): number {
  const doubled = 2n * BigInt(amountCents) * BigInt(share)
  const half = BigInt(doubled < 0n ? -whole : whole)
  return bounded((doubled + half) / (2n * BigInt(whole)))
}

/** Returns the part of an amount that a rate in basis points makes, rounded as by `partOf`. */
export const shareOf = (amountCents: number, basisPoints: number): number =>
  partOf(amountCents, basisPoints, BASIS_POINTS)

/** Returns the currency that all have. Throws `currency_mismatch`; with nothing in the list, too. */
export function oneCurrency(currencies: readonly string[]): string {
  const [currency, ...others] = new Set(currencies)
  if (currency === undefined || others.length > 0) throw moneyErrors.currency_mismatch()
  return currency
}

/** Adds amounts. Throws `currency_mismatch`, `amount_out_of_range`. */
export const sumMoney = (amounts: readonly Money[]): Money => ({
  currency: oneCurrency(amounts.map(({ currency }) => currency)),
  amountCents: sumCents(amounts.map(({ amountCents }) => amountCents)),
})

/** Writes an amount as a decimal number, without a symbol: `10.50`, `1050`, `1.050`. Throws for an unknown currency. */
export function decimal({ amountCents, currency }: Money): string {
  const digits = minorDigits.get(currency)
  if (digits === undefined) throw new RangeError(`no currency: ${currency}`)
  const text = String(Math.abs(amountCents)).padStart(digits + 1, '0')
  const whole = text.slice(0, text.length - digits)
  return `${amountCents < 0 ? '-' : ''}${whole}${digits > 0 ? `.${text.slice(-digits)}` : ''}`
}
