import t from 'tap'
import { totalsOf } from '../../../../src/domains/billing/invoices/service/totals.ts'
import { seeded } from '../../../faults/random.ts'

const line = { description: 'Handbook', quantity: 1, unitAmountCents: 0, discountBasisPoints: 0, taxBasisPoints: 0 }

t.test('tax is rounded once for each rate, a half away from zero', async t => {
  // 3 × 0.05 EUR with 10 %: 1.5 is rounded to 2; rounding each line would give 3 × 1.
  const cents = { ...line, unitAmountCents: 5, taxBasisPoints: 1_000 }
  t.match(totalsOf([cents, cents, cents]), { subtotalCents: 15, taxCents: 2, totalCents: 17 })
  t.match(totalsOf([{ ...cents, unitAmountCents: -5 }]), { subtotalCents: -5, taxCents: -1, totalCents: -6 })
  t.same(totalsOf([cents, { ...cents, taxBasisPoints: 700 }, cents]).taxes, [
    { taxBasisPoints: 700, baseCents: 5, taxCents: 0 },
    { taxBasisPoints: 1_000, baseCents: 10, taxCents: 1 },
  ])
})

t.test('a discount is rounded for each line', async t => {
  const { lines } = totalsOf([{ ...line, quantity: 3, unitAmountCents: 333, discountBasisPoints: 1_250 }])
  // 12.5 % of 999 are 124.875.
  t.match(lines, [{ amountCents: 874 }])
  t.match(totalsOf([{ ...line, unitAmountCents: 100, discountBasisPoints: 10_000 }]), { totalCents: 0 })
})

t.test('what is not counted exactly is refused', async t => {
  const most = { ...line, unitAmountCents: Number.MAX_SAFE_INTEGER }
  t.match(totalsOf([most]), { totalCents: Number.MAX_SAFE_INTEGER })
  const code = { code: 'amount_out_of_range' }
  t.throws(() => totalsOf([most, { ...line, unitAmountCents: 1 }]), code)
  t.throws(() => totalsOf([{ ...most, quantity: 2 }]), code)
  t.throws(() => totalsOf([{ ...most, taxBasisPoints: 1 }]), code)
})

const INVOICES = 100_000

t.test('of 100,000 random invoices lines, taxes and totals agree', async t => {
  const { below, pick } = seeded(t)
  const wrong = []
  for (let n = 0; n < INVOICES; n++) {
    const given = Array.from({ length: 1 + below(6) }, () => ({
      description: 'Line',
      quantity: 1 + below(1_000),
      unitAmountCents: below(100_000) - 10_000,
      discountBasisPoints: pick([0, 0, 1_000, 3_333, 10_000]),
      taxBasisPoints: pick([0, 700, 1_900, 2_550, 10_000]),
    }))
    const { lines, taxes, subtotalCents, taxCents, totalCents } = totalsOf(given)
    const sum = (amounts: number[]) => amounts.reduce((total, amount) => total + amount, 0)
    const exact = lines.map(of => (of.quantity * of.unitAmountCents * (10_000 - of.discountBasisPoints)) / 10_000)
    const agrees =
      lines.every((of, at) => Math.abs(of.amountCents - (exact[at] as number)) <= 0.5) &&
      taxes.every(tax => Math.abs(tax.taxCents - (tax.baseCents * tax.taxBasisPoints) / 10_000) <= 0.5) &&
      taxes.every((tax, at) => at === 0 || tax.taxBasisPoints > (taxes[at - 1] as typeof tax).taxBasisPoints) &&
      sum(lines.map(of => of.amountCents)) === subtotalCents &&
      sum(taxes.map(tax => tax.baseCents)) === subtotalCents &&
      sum(taxes.map(tax => tax.taxCents)) === taxCents &&
      subtotalCents + taxCents === totalCents
    if (!agrees) wrong.push(given)
  }
  t.same(wrong.slice(0, 3), [])
})
