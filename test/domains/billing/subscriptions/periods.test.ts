import t from 'tap'
import { prorationLines } from '../../../../src/domains/billing/subscriptions/service/lines.ts'
import { afterAnchor, type Interval } from '../../../../src/domains/billing/subscriptions/service/periods.ts'
import { seeded } from '../../../faults/random.ts'

const MIDNIGHT = 'T00:00:00.000Z'
const days = (anchor: string, interval: Interval, cycles: number[], intervalCount = 1) =>
  cycles.map(n => afterAnchor(`${anchor}${MIDNIGHT}`, { interval, intervalCount }, n).slice(0, 10))

t.test('the day of the anchor comes back after a month that lacks it', async t => {
  t.same(days('2026-01-31', 'month', [1, 2, 3, 4]), ['2026-02-28', '2026-03-31', '2026-04-30', '2026-05-31'])
  t.same(days('2027-12-31', 'month', [1, 2, 3]), ['2028-01-31', '2028-02-29', '2028-03-31'])
  t.same(days('2028-02-29', 'year', [1, 2, 3, 4]), ['2029-02-28', '2030-02-28', '2031-02-28', '2032-02-29'])
  t.same(days('2026-08-31', 'month', [1, 2], 6), ['2027-02-28', '2027-08-31'])
  t.same(days('2026-03-28', 'day', [1, 2]), ['2026-03-29', '2026-03-30'], 'where clocks change, too')
  t.same(days('2026-12-28', 'week', [1], 2), ['2027-01-11'])
})

t.test('periods keep the time of day and follow each other', async t => {
  const { below, pick } = seeded(t)
  for (let n = 0; n < 2_000; n++) {
    const anchor = new Date(
      Date.UTC(2000 + below(60), below(12), 1 + below(31), below(24), below(60), below(60)),
    ).toISOString()
    const recurrence = { interval: pick(['day', 'week', 'month', 'year'] as const), intervalCount: 1 + below(12) }
    const ends = Array.from({ length: 20 }, (_, cycle) => afterAnchor(anchor, recurrence, cycle))
    const isRight = ends.every(
      (end, at) => end.slice(10) === anchor.slice(10) && (at === 0 ? end === anchor : end > (ends[at - 1] as string)),
    )
    if (!isRight) t.fail(`${anchor} ${JSON.stringify(recurrence)}: ${ends}`)
  }
})

const price = (amountCents: number) => ({
  id: '',
  productId: '',
  name: 'Plan',
  taxBasisPoints: 0,
  currency: 'EUR',
  amountCents,
  interval: 'month' as const,
  intervalCount: 1,
})
const period = { periodStart: `2026-04-01${MIDNIGHT}`, periodEnd: `2026-05-01${MIDNIGHT}` }

t.test('a change is charged for the rest of the period', async t => {
  const amounts = (before: number, after: number, now: string) =>
    prorationLines({ price: price(before), quantity: 1 }, { price: price(after), quantity: 2 }, period, now).map(
      line => line.unitAmountCents,
    )
  t.same(amounts(3_000, 6_000, `2026-04-16${MIDNIGHT}`), [-1_500, 6_000])
  t.same(amounts(3_000, 6_000, period.periodStart), [-3_000, 12_000])
  t.same(amounts(3_000, 6_000, period.periodEnd), [-0, 0])
  // A third of 100 and of 200.
  t.same(amounts(100, 100, `2026-04-21${MIDNIGHT}`), [-33, 67])
})

t.test('the same plan costs nothing more at any moment', async t => {
  const { below } = seeded(t)
  for (let n = 0; n < 5_000; n++) {
    const plan = { price: price(below(1_000_000)), quantity: 1 + below(50) }
    const now = new Date(Date.parse(period.periodStart) + below(30 * 86_400_000)).toISOString()
    const [unused, remaining] = prorationLines(plan, plan, period, now)
    if (unused.unitAmountCents + remaining.unitAmountCents !== 0) t.fail(JSON.stringify(plan))
  }
})
