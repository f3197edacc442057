import fc from 'fast-check'
import t from 'tap'
import {
  currencyCodes,
  decimal,
  MAX_CENTS,
  oneCurrency,
  shareOf,
  sumCents,
  sumMoney,
  timesCents,
} from '../../src/lib/money.ts'

const outOfRange = { code: 'amount_out_of_range', status: 422 }
const anyCents = fc.maxSafeInteger()

t.test('a sum is exact or refused', async t =>
  fc.assert(
    fc.property(fc.array(anyCents, { maxLength: 9 }), amounts => {
      const exact = amounts.map(BigInt).reduce((a, b) => a + b, 0n)
      if (exact >= -BigInt(MAX_CENTS) && exact <= BigInt(MAX_CENTS)) return BigInt(sumCents(amounts)) === exact
      return Boolean(t.throws(() => sumCents(amounts), outOfRange))
    }),
  ),
)

t.test('a product is exact or refused', async t => {
  t.equal(timesCents(1_999, 3), 5_997)
  t.equal(timesCents(MAX_CENTS, -1), -MAX_CENTS)
  t.throws(() => timesCents(MAX_CENTS, 2), outOfRange)
  t.throws(() => timesCents(2 ** 52, 2), outOfRange, '2^53 itself is not exact')
})

t.test('a part by basis points is rounded half away from zero, the same on both sides of zero', async t => {
  t.equal(shareOf(50, 100), 1)
  t.equal(shareOf(49, 100), 0)
  t.equal(shareOf(-50, 100), -1)
  t.equal(shareOf(MAX_CENTS, 10_000), MAX_CENTS, 'without floating point')
  fc.assert(
    fc.property(anyCents, fc.integer({ min: 0, max: 10_000 }), (amount, rate) => {
      const share = shareOf(amount, rate)
      const difference = 2n * (BigInt(share) * 10_000n - BigInt(amount) * BigInt(rate))
      const distance = difference < 0n ? -difference : difference
      return distance <= 10_000n && share === -shareOf(-amount, rate)
    }),
  )
})

t.test('amounts of different currencies are not added', async t => {
  const [euros, yen] = [
    { amountCents: 1, currency: 'EUR' },
    { amountCents: 1, currency: 'JPY' },
  ]
  t.same(sumMoney([euros, euros]), { amountCents: 2, currency: 'EUR' })
  t.throws(() => sumMoney([euros, yen]), { code: 'currency_mismatch', status: 422 })
  t.throws(() => oneCurrency([]), { code: 'currency_mismatch' })
})

t.test('every currency has the minor units of ISO 4217', async t => {
  const written = (currency: string) => decimal({ amountCents: 1050, currency })
  const expected = { JPY: '1050', EUR: '10.50', KWD: '1.050', HUF: '10.50', IQD: '1.050', CLF: '0.1050', ISK: '1050' }
  for (const [currency, text] of Object.entries(expected)) t.equal(written(currency), text, currency)
  t.equal(decimal({ amountCents: -5, currency: 'EUR' }), '-0.05')
  for (const code of ['XXX', 'XAU', 'XTS', 'eur']) t.notOk(currencyCodes.includes(code), code)
  t.match(currencyCodes, { length: 166 })
  t.ok(currencyCodes.every(code => /^[A-Z]{3}$/.test(code)))
})
