import t from 'tap'
import { afterAnchor, afterDays } from '../../../../src/domains/billing/subscriptions/service/periods.ts'
import { testApp } from '../../../helpers/app.ts'
import { call } from '../../../helpers/call.ts'
import { openSubscriber } from './subscriber.ts'

const test = await testApp(t)
const { app, sql } = test
const subscriber = await openSubscriber(test)
const { organization, plan, priceOf, send, settle, start, read, invoices, events, runUntil } = subscriber
const MONTH = { interval: 'month', intervalCount: 1 } as const
const totals = async (id: string) => (await invoices(id)).map((row: { total_cents: number }) => Number(row.total_cents))

t.test('the first period is charged at once, the next ones as they begin', async t => {
  const made = await start({ quantity: 2 })
  t.match(made, { status: 'active', quantity: 2, priceId: priceOf('month'), customerEmail: organization.admin.email })
  t.equal(made.periodEnd, afterAnchor(made.periodStart, MONTH, 1))
  await settle()
  t.match(await invoices(made.id), [{ status: 'paid', total_cents: '6000' }])
  t.equal(await runUntil(afterDays(made.periodStart, 27)), 1, 'nothing but to see that it is paid')
  await runUntil(made.periodEnd)
  const renewed = await read(made.id)
  t.match(renewed, { status: 'active', periodStart: made.periodEnd, failedCharges: 0 })
  t.equal(renewed.periodEnd, afterAnchor(made.periodStart, MONTH, 2))
  t.same(await totals(made.id), [6_000, 6_000])
  t.same(await events(made.id), ['subscription.created', 'subscription.renewed'])
})

t.test('a trial costs nothing and ends with the first period', async t => {
  const made = await start({ trialDays: 14 })
  t.match(made, { status: 'trialing', trialEndsAt: afterDays(made.periodStart, 14), latestInvoiceId: null })
  await runUntil(afterDays(made.periodStart, 13))
  t.same(await invoices(made.id), [])
  await runUntil(made.trialEndsAt)
  const { status, periodStart, periodEnd } = await read(made.id)
  t.same([status, periodStart, periodEnd], ['active', made.trialEndsAt, afterAnchor(made.trialEndsAt, MONTH, 1)])
  t.same(await totals(made.id), [3_000])
})

t.test('after a week of standstill each period is charged once, in order', async t => {
  const made = await start({ priceId: priceOf('day') })
  await settle()
  await runUntil(afterDays(made.periodStart, 7))
  const rows = await invoices(made.id)
  t.same(
    rows.map((row: { starts_at: string }) => new Date(row.starts_at).toISOString()),
    Array.from({ length: 8 }, (_, day) => afterDays(made.periodStart, day)),
  )
  t.ok(rows.every((row: { status: string }) => row.status === 'paid'))
  t.equal((await read(made.id)).periodEnd, afterDays(made.periodStart, 8))
})

t.test('a change at once is charged for the rest of the period; what is left over is carried on', async t => {
  const made = await start()
  await settle()
  await sql(
    `update subscriptions set period_start = now() - interval '15 days', period_end = now() + interval '15 days',
    next_at = now() + interval '15 days' where id = $1`,
    [made.id],
  )
  const { body: more } = await send(`PATCH /subscriptions/${made.id}`, { quantity: 3 })
  t.match(more, { quantity: 3, status: 'active' })
  const [, added] = await invoices(made.id)
  t.match(added.lines, [{ unitAmountCents: -1_500 }, { unitAmountCents: 4_500 }])
  await settle()
  const { body: less } = await send(`PATCH /subscriptions/${made.id}`, { quantity: 1 })
  t.equal(less.latestInvoiceId, more.latestInvoiceId, 'nothing to charge')
  await runUntil(less.periodEnd)
  t.same(await totals(made.id), [3_000, 3_000, 0], 'the next is paid by what was left over')
  const rest = await read(made.id)
  await runUntil(rest.periodEnd)
  t.same(await totals(made.id), [3_000, 3_000, 0, 3_000])
})

t.test('a change with the next period costs nothing before', async t => {
  const made = await start()
  await settle()
  const change = { quantity: 2, priceId: priceOf('year'), when: 'period_end' }
  const { body } = await send(`PATCH /subscriptions/${made.id}`, change)
  t.match(body, { quantity: 1, priceId: priceOf('month'), nextPriceId: priceOf('year'), nextQuantity: 2 })
  await runUntil(made.periodEnd)
  const changed = await read(made.id)
  t.match(changed, { quantity: 2, priceId: priceOf('year'), nextPriceId: null, nextQuantity: null })
  t.equal(changed.periodEnd, afterAnchor(made.periodEnd, { interval: 'year', intervalCount: 1 }, 1))
  t.same(await totals(made.id), [3_000, 60_000])
})

t.test('another recurrence begins a new period at once', async t => {
  const made = await start()
  await settle()
  const { body } = await send(`PATCH /subscriptions/${made.id}`, { priceId: priceOf('year') })
  t.ok(body.periodStart > made.periodStart)
  t.equal(body.periodEnd, afterAnchor(body.periodStart, { interval: 'year', intervalCount: 1 }, 1))
  const [, charged] = await totals(made.id)
  t.ok(charged >= 27_000 && charged < 27_010, `${charged}: the year less the month`)
})

t.test('what is no recurring price of the product, or another currency, is refused', async t => {
  const made = await start()
  const other = await subscriber.createPlan()
  const once = await subscriber.createPlan({ prices: [{ currency: 'EUR', amountCents: 1 }] })
  const path = `POST /organizations/${organization.id}/subscriptions`
  for (const [body, pointer] of [
    [{ productId: once.id }, '#/productId'],
    [{ productId: organization.id }, '#/productId'],
    [{ productId: plan.id, priceId: priceOf('month', 'EUR', other) }, '#/priceId'],
    [{ productId: plan.id, paymentMethod: 'card' }, '#/paymentMethod'],
  ] as const)
    t.match((await send(path, body)).body, { status: 422, errors: [{ pointer }] })
  for (const wrong of [{ quantity: 0 }, { quantity: 1.5 }, { trialDays: 0 }, { status: 'active' }, { amountCents: 1 }])
    t.equal((await send(path, { productId: plan.id, ...wrong })).status, 422, JSON.stringify(wrong))
  const { body } = await send(`PATCH /subscriptions/${made.id}`, { priceId: priceOf('month', 'USD') })
  t.match(body, { status: 422, errors: [{ pointer: '#/priceId', detail: 'is not in EUR' }] })
})

t.test('a pause stops the clock, and what is paid for lasts longer', async t => {
  const made = await start()
  await settle()
  t.match((await send(`POST /subscriptions/${made.id}/pause`)).body, { status: 'paused', nextAt: null })
  t.match(await send(`POST /subscriptions/${made.id}/pause`), {
    status: 409,
    body: { code: 'subscription_not_active' },
  })
  await runUntil(afterDays(made.periodEnd, 100))
  t.same(await totals(made.id), [3_000])
  await sql(`update subscriptions set paused_at = paused_at - interval '10 days' where id = $1`, [made.id])
  const { body } = await send(`POST /subscriptions/${made.id}/resume`)
  t.match(body, { status: 'active', pausedAt: null })
  const late = Date.parse(body.periodEnd) - Date.parse(afterDays(made.periodEnd, 10))
  t.ok(late >= 0 && late < 60_000, `${late} ms`)
  t.match(await send(`POST /subscriptions/${made.id}/resume`), {
    status: 409,
    body: { code: 'subscription_not_stopped' },
  })
  await runUntil(body.periodEnd)
  t.equal((await read(made.id)).periodEnd, afterAnchor(body.periodEnd, MONTH, 1))
})

t.test('it ends with its period or at once, and can be resumed before', async t => {
  const made = await start()
  await settle()
  const cancel = (when?: string) => send(`POST /subscriptions/${made.id}/cancel`, when && { when })
  t.match((await cancel()).body, { status: 'active', cancelAtPeriodEnd: true })
  t.match((await send(`POST /subscriptions/${made.id}/resume`)).body, { status: 'active', cancelAtPeriodEnd: false })
  await cancel()
  await runUntil(made.periodEnd)
  t.match(await read(made.id), { status: 'canceled', canceledAt: made.periodEnd, nextAt: null })
  t.same(await totals(made.id), [3_000])
  for (const [path, body] of [
    [`PATCH /subscriptions/${made.id}`, { quantity: 2 }],
    [`POST /subscriptions/${made.id}/pause`, undefined],
    [`POST /subscriptions/${made.id}/resume`, undefined],
    [`POST /subscriptions/${made.id}/cancel`, undefined],
  ] as const)
    t.match(await send(path, body), { status: 409, body: { code: 'subscription_canceled' } }, path)
  const other = await start()
  t.match((await send(`POST /subscriptions/${other.id}/cancel`, { when: 'now' })).body, { status: 'canceled' })
})

t.test('a change first does what is due', async t => {
  const made = await start()
  await settle()
  await sql(
    `update subscriptions set anchor_at = anchor_at - interval '40 days', period_start = period_start - interval '40 days',
    period_end = period_end - interval '40 days', next_at = next_at - interval '40 days' where id = $1`,
    [made.id],
  )
  const { body } = await send(`POST /subscriptions/${made.id}/cancel`)
  t.match(body, { status: 'active', cancelAtPeriodEnd: true })
  t.ok(Date.parse(body.periodEnd) > Date.now())
  t.same(await totals(made.id), [3_000, 3_000])
})

t.test('only admins of its organization touch it', async t => {
  const made = await start()
  for (const [as, status] of [
    [organization.member, 403],
    [organization.outsider, 404],
  ] as const)
    for (const action of ['pause', 'cancel'])
      t.equal((await send(`POST /subscriptions/${made.id}/${action}`, undefined, as)).status, status)
  t.equal((await call(app, `GET /subscriptions/${made.id}`, { as: organization.outsider })).status, 404)
  t.match(await read(made.id), { status: 'active', version: undefined })
})
