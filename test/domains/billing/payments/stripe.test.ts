import t from 'tap'
import { reconcilePayments } from '../../../../src/domains/billing/payments/service/reconciliation.ts'
import { chargePayment, payRefund } from '../../../../src/domains/billing/payments/service/settlement.ts'
import { fromStripeAmount, toStripeAmount } from '../../../../src/plugins/payments/stripe-amounts.ts'
import { createOrganization } from '../../../helpers/actors.ts'
import { testApp } from '../../../helpers/app.ts'
import { call } from '../../../helpers/call.ts'
import { capture, startStripe } from '../../../helpers/stripe.ts'

const server = await startStripe(t)
const test = await testApp(t, { stripe: server.stripe })
const { app, sql } = test
const organization = await createOrganization(test)
const send = (path: string, body?: object) =>
  call(app, path, {
    as: organization.owner,
    headers: { 'idempotency-key': crypto.randomUUID() },
    ...(body && { body }),
  })

const begin = async (paymentMethod: string, more = {}) =>
  (
    await send(`POST /organizations/${organization.id}/payment-intents`, {
      amountCents: 6_902,
      currency: 'EUR',
      paymentMethod,
      ...more,
    })
  ).body
const read = async (id: string) => (await call(app, `GET /payments/${id}`, { as: organization.owner })).body
const referenceOf = async (id: string) => (await sql('select reference from payments where id = $1', [id]))[0].reference
/** Does what the job does, once. */
const attempt = (id: string) => chargePayment(app, id).catch(error => error as Error)
async function paid(more = {}) {
  const { id } = await begin('pm_card_visa', more)
  await attempt(id)
  return read(id)
}

t.test('a payment is created with our id as key, confirmed and kept with its fee', async t => {
  const payment = await paid()
  t.match(payment, { status: 'succeeded', provider: 'stripe' })
  const reference = await referenceOf(payment.id)
  t.match(server.intents.get(reference), { amount: 6_902, currency: 'eur', 'metadata[paymentId]': payment.id })
  t.same(server.keys.slice(-2), [payment.id, `${payment.id}-confirm`])
  t.equal(server.charges.get(reference), 1)
  const fees = await sql(`select amount_cents from transfers where source = 'fee' and source_id = $1`, [payment.id])
  t.same(fees, [{ amount_cents: '30' }])
})

t.test('a method must be named, and be one of Stripe', async t => {
  t.match(await send(`POST /organizations/${organization.id}/payment-intents`, { amountCents: 1, currency: 'EUR' }), {
    status: 422,
    body: { errors: [{ pointer: '#/paymentMethod' }] },
  })
  t.equal((await begin('tok_visa')).status, 422)
})

t.test('what is declined, or cannot be paid, has failed', async t => {
  for (const [method, more, failureCode] of [
    ['pm_card_declined', {}, 'insufficient_funds'],
    ['pm_card_unknown', {}, 'resource_missing'],
    ['pm_card_visa', { currency: 'KWD', amountCents: 1_001 }, 'amount_not_payable'],
  ] as const) {
    const { id } = await begin(method, more)
    await attempt(id)
    t.match(await read(id), { status: 'failed', failureCode })
    await attempt(id)
    t.match(await read(id), { status: 'failed' }, 'and stays so')
  }
})

t.test('a further step has its URL; a late decision is asked for and charged once', async t => {
  for (const [method, status] of [
    ['pm_card_action', 'requires_action'],
    ['pm_card_late', 'processing'],
  ] as const) {
    const { id } = await begin(method)
    t.match(await attempt(id), { message: new RegExp(status) })
    t.match(await read(id), { status, actionUrl: status === 'processing' ? null : 'https://stripe.example/3ds' })
    const reference = await referenceOf(id)
    capture(server, server.intents.get(reference))
    await attempt(id)
    t.equal((await read(id)).status, 'succeeded')
    t.equal(server.charges.get(reference), 1)
  }
})

t.test('no answer after charging, and Stripe being down, leave a question and never a second charge', async t => {
  const { id } = await begin('pm_card_timeout')
  await attempt(id)
  const reference = await referenceOf(id)
  if ((await read(id)).status !== 'succeeded') await attempt(id)
  t.equal((await read(id)).status, 'succeeded')
  t.equal(server.charges.get(reference), 1)
  const later = await begin('pm_card_visa')
  server.isDown = true
  t.ok((await attempt(later.id)) instanceof Error)
  t.match(await read(later.id), { status: 'processing' })
  server.isDown = false
  await attempt(later.id)
  t.match(await read(later.id), { status: 'succeeded' })
})

t.test('a crash between the call and the commit charges nobody twice', async t => {
  const { id } = await begin('pm_card_visa')
  const reference = await app.payments.prepare({
    id,
    amountCents: 6_902,
    currency: 'EUR',
    paymentMethod: 'pm_card_visa',
  })
  await attempt(id)
  t.equal(await referenceOf(id), reference, 'the same payment intent')
  t.equal(server.charges.get(reference), 1)
})

t.test('refunds, also repeated ones, are paid back once and never above what was taken', async t => {
  const payment = await paid()
  const refund = async (amountCents?: number) =>
    (await send(`POST /payments/${payment.id}/refunds`, amountCents ? { amountCents } : undefined)).body
  const part = await refund(1_000)
  // As after a crash before the commit, days later: Stripe has forgotten the key.
  await app.payments.refund({ id: part.id, reference: await referenceOf(payment.id), amountCents: 1_000 })
  server.forgetKeys()
  await payRefund(app, part.id)
  const rest = await refund()
  await payRefund(app, rest.id)
  const reference = await referenceOf(payment.id)
  t.same(
    server.refunds.filter(made => made.payment_intent === reference).map(({ amount }) => amount),
    [1_000, 5_902],
  )
  t.match(await read(payment.id), { refundedCents: 6_902 })
})

t.test('what the sandbox has begun is left alone: Stripe is not asked for it', async t => {
  const { id } = await begin('pm_card_visa')
  await sql(`update payments set provider = 'sandbox', reference = id::text where id = $1`, [id])
  const asked = server.keys.length
  t.equal(await attempt(id), undefined)
  t.match(await read(id), { status: 'processing' })
  t.equal(server.keys.length, asked)
})

t.test('reconciliation finds what Stripe has otherwise', async t => {
  const right = await paid()
  const wrong = await paid()
  server.intents.get(await referenceOf(wrong.id)).amount_received = 1
  await sql(`update payments set updated_at = now() - interval '1 hour' where id = any($1)`, [[right.id, wrong.id]])
  const differences = await reconcilePayments(app)
  t.ok(differences.some(({ line }) => line.includes(wrong.id)))
  t.notOk(differences.some(({ line }) => line.includes(right.id)))
})

t.test('amounts are counted as Stripe counts them', async t => {
  for (const [currency, ours, theirs] of [
    ['EUR', 1_050, 1_050],
    ['JPY', 1_050, 1_050],
    ['KWD', 1_050, 1_050],
    ['KWD', 1_051, undefined],
    ['ISK', 5, 500],
    ['UGX', 5, 500],
    ['MGA', 500, 5],
    ['MGA', 550, undefined],
  ] as const) {
    t.equal(toStripeAmount({ amountCents: ours, currency }), theirs, `${ours} ${currency}`)
    if (theirs !== undefined) t.equal(fromStripeAmount(theirs, currency.toLowerCase()), ours)
  }
})
