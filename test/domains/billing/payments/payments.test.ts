import t from 'tap'
import type { Outcome } from '../../../../src/lib/payment-provider.ts'
import { testApp } from '../../../helpers/app.ts'
import { call } from '../../../helpers/call.ts'
import { eventually } from '../../../helpers/mail.ts'
import { openShop } from '../shop.ts'

const test = await testApp(t, { works: true })
const { app, sql } = test
const shop = await openShop(test)
const { organization, post } = shop

const pay = (id: string, paymentMethod?: string) =>
  post(`/orders/${id}/pay`, paymentMethod === undefined ? undefined : { paymentMethod })
const chargesOf = async (id: string): Promise<number | undefined> =>
  (await sql('select charges from sandbox_payments where id = $1', [id]))[0]?.charges
/** Returns a payment that has succeeded. */
async function paid(amountCents: number) {
  const { body } = await post(`/organizations/${organization.id}/payment-intents`, { amountCents, currency: 'EUR' })
  return shop.payment(body.id, 'succeeded')
}

t.test('a payment that succeeds pays its order, once', async t => {
  const { id } = await shop.newOrder()
  const { status, body } = await pay(id)
  t.match({ status, body }, { status: 200, body: { status: 'pending', paymentId: String } })
  const payment = await shop.payment(body.paymentId, 'succeeded')
  t.match(payment, { amountCents: 6_902, currency: 'EUR', orderId: id, provider: 'sandbox' })
  t.match(await shop.read(`/orders/${id}`), { status: 'paid', paymentId: payment.id })
  t.equal(await chargesOf(payment.id), 1)
  t.same(await shop.events(payment.id), ['payment.created', 'payment.succeeded'])
  t.same(await shop.events(id), ['order.created', 'order.paid'])
  t.equal((await pay(id)).body.code, 'order_not_pending')
})

t.test('after a payment that is declined the order is free to be paid or cancelled', async t => {
  const { id } = await shop.newOrder()
  const { paymentId } = (await pay(id, 'pm_sandbox_declined')).body
  t.match(await shop.payment(paymentId, 'failed'), { failureCode: 'card_declined' })
  t.match(await shop.read(`/orders/${id}`), { status: 'pending', paymentId: null })
  t.equal(await chargesOf(paymentId), 0)
  t.equal((await post(`/orders/${id}/cancel`)).status, 200)
})

t.test('no answer after charging, a late answer and a further step end as one charge', async t => {
  for (const method of ['pm_sandbox_timeout', 'pm_sandbox_late', 'pm_sandbox_action']) {
    const { id } = await shop.newOrder()
    const { paymentId } = (await pay(id, method)).body
    await shop.payment(paymentId, 'succeeded')
    t.equal(await chargesOf(paymentId), 1, method)
    t.equal((await shop.read(`/orders/${id}`)).status, 'paid', method)
    const asked = method === 'pm_sandbox_action' ? ['payment.requires_action'] : []
    t.same(await shop.events(paymentId), ['payment.created', ...asked, 'payment.succeeded'], method)
  }
})

t.test('of paying and cancelling at once one wins, and no captured payment belongs to a cancelled order', async t => {
  for (let round = 0; round < 10; round++) {
    const { id } = await shop.newOrder()
    const answers = await Promise.all([pay(id), post(`/orders/${id}/cancel`), pay(id), post(`/orders/${id}/cancel`)])
    t.equal(answers.filter(({ status }) => status === 200).length, 1)
    t.ok(answers.every(({ status }) => status === 200 || status === 409))
  }
  await eventually(
    async () => (await sql(`select from payments where status = 'processing'`)).length === 0,
    'all payments are settled',
  )
  t.same(
    await sql(`select o.id from orders o join payments p on p.order_id = o.id
    where o.status = 'cancelled' and p.status = 'succeeded'`),
    [],
  )
})

t.test('fifty refunds at once never add up to more than was paid', async t => {
  const { id } = await paid(1_000)
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => post(`/payments/${id}/refunds`, { amountCents: 70 })),
  )
  t.equal(answers.filter(({ status }) => status === 202).length, 14, '14 × 70 = 980')
  const refused = answers.filter(({ status }) => status !== 202)
  t.ok(refused.every(({ body }) => body.code === 'refund_too_large'))
  t.equal((await shop.read(`/payments/${id}`)).refundedCents, 980)
  t.equal((await post(`/payments/${id}/refunds`)).body.amountCents, 20, 'all that is left')
  t.equal((await post(`/payments/${id}/refunds`)).body.code, 'payment_not_refundable')
  const settled = async () =>
    (
      await sql(`select sum(amount_cents)::int as sum from refunds where payment_id = $1 and status = 'succeeded'`, [
        id,
      ])
    )[0]
  await eventually(async () => (await settled()).sum === 1_000, 'all refunds are paid')
  const [books] = await sql('select refunded_cents::int as refunded from sandbox_payments where id = $1', [id])
  t.equal(books.refunded, 1_000)
})

t.test('a refund of a payment that the provider was never told of fails, and its amount is free again', async t => {
  const { id } = await paid(5_000)
  await sql('update payments set reference = null where id = $1', [id])
  const { body } = await post(`/payments/${id}/refunds`, { amountCents: 2_000 })
  const ended = async () =>
    (await sql('select status from refunds where id = $1', [body.id]))[0].status !== 'processing'
  await eventually(ended, 'the refund has ended')
  t.match(await sql('select status from refunds where id = $1', [body.id]), [{ status: 'failed' }])
  t.match(await shop.read(`/payments/${id}`), { status: 'succeeded', refundedCents: 0 })
})

t.test('an order is refunded when all of its payment is', async t => {
  const { id } = await shop.newOrder()
  const { paymentId } = (await pay(id)).body
  await shop.payment(paymentId, 'succeeded')
  await post(`/payments/${paymentId}/refunds`, { amountCents: 1 })
  t.equal((await shop.read(`/orders/${id}`)).status, 'paid')
  const { body } = await post(`/payments/${paymentId}/refunds`)
  t.match(body, { amountCents: 6_901, status: 'processing' })
  await eventually(async () => (await shop.read(`/orders/${id}`)).status === 'refunded', 'the order is refunded')
  t.same(await shop.events(id), ['order.created', 'order.paid', 'order.refunded'])
})

t.test('a payment that has ended stays as it is, whatever is said later and in which order', async t => {
  const { applyOutcome } = await import('../../../../src/domains/billing/payments/service/settlement.ts')
  const history: Outcome[] = [
    { status: 'requires_action', actionUrl: 'https://provider.example/step' },
    { status: 'processing' },
    { status: 'succeeded' },
    { status: 'failed', failureCode: 'expired' },
    { status: 'succeeded' },
    { status: 'requires_action', actionUrl: 'https://provider.example/step' },
  ]
  const { id } = await paid(500)
  const before = await shop.read(`/payments/${id}`)
  for (const outcome of history) await app.database.transaction(tx => applyOutcome(tx, id, outcome))
  t.same(await shop.read(`/payments/${id}`), before)
  t.same(await shop.events(id), ['payment.created', 'payment.succeeded'])
})

t.test('payments and refunds need a key, a role and an amount that can be', async t => {
  const path = `/organizations/${organization.id}/payment-intents`
  const body = { amountCents: 100, currency: 'EUR' }
  const bare = await call(app, `POST ${path}`, { as: organization.owner, body })
  t.match(bare, { status: 400, body: { code: 'idempotency_key_required' } })
  for (const amountCents of [0, -1, 0.5, '100', 2 ** 53])
    t.equal((await post(path, { ...body, amountCents })).status, 422)
  t.match((await post(path, { ...body, paymentMethod: 'pm_other' })).body, { errors: [{ pointer: '#/paymentMethod' }] })
  const { id } = await paid(100)
  t.equal((await post(`/payments/${id}/refunds`, undefined, organization.member)).status, 403)
  t.equal((await post(`/payments/${id}/refunds`, undefined, organization.outsider)).status, 404)
  t.equal((await post(`/payments/${id}/refunds`, { amountCents: 101 })).body.code, 'refund_too_large')
  const created = await post(path, body)
  t.equal(created.headers.location, `/api/v1/payments/${created.body.id}`)
})
