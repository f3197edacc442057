import t from 'tap'
import { seeded } from '../../../faults/random.ts'
import { createOrganization } from '../../../helpers/actors.ts'
import { anotherNode, testApp } from '../../../helpers/app.ts'
import { call } from '../../../helpers/call.ts'
import { eventually } from '../../../helpers/mail.ts'
import { capture, eventOf, signedEvent, startStripe, WEBHOOK_SECRETS } from '../../../helpers/stripe.ts'

const server = await startStripe(t)
const test = await testApp(t, { stripe: server.stripe, works: true })
const { app, sql } = test
const organization = await createOrganization(test)

const deliver = (event: object, options = {}, on = app) => {
  const { body, signature } = signedEvent(event, options)
  return post(body, signature, on)
}
const post = (payload: string, signature?: string, on = app) =>
  on.inject({
    method: 'POST',
    url: '/api/v1/webhooks/stripe',
    headers: { 'content-type': 'application/json', ...(signature && { 'stripe-signature': signature }) },
    payload,
  })
const kept = async (id: string) => (await sql('select from stripe_events where id = $1', [id])).length === 1

async function begin(paymentMethod: string): Promise<{ id: string; reference: string }> {
  const path = `POST /organizations/${organization.id}/payment-intents`
  const headers = { 'idempotency-key': crypto.randomUUID() }
  const body = { amountCents: 1_000, currency: 'EUR', paymentMethod }
  const { id } = (await call(app, path, { as: organization.owner, headers, body })).body
  const reference = await eventually(
    async () => (await sql('select reference from payments where id = $1', [id]))[0].reference as string | null,
    'Stripe knows it',
  )
  return { id, reference: reference as string }
}

t.test('an event is kept once, whatever it is about', async t => {
  const event = eventOf('customer.created', { object: 'customer', id: 'cus_1' })
  for (let time = 0; time < 3; time++) t.match(await deliver(event), { statusCode: 200, body: '{"received":true}' })
  t.ok(await kept(event.id))
  await eventually(
    async () => (await sql('select applied_at from stripe_events where id = $1', [event.id]))[0].applied_at !== null,
    'it is applied, which does nothing',
  )
})

t.test('only what Stripe has signed, lately, is taken', async t => {
  const event = eventOf('customer.created', {})
  const { body, signature } = signedEvent(event)
  const minutes = (n: number) => ({ at: Date.now() + n * 60_000 })
  for (const [why, answer] of [
    ['no signature', post(body)],
    ['nonsense', post(body, 'nonsense')],
    ['another body', post(body.replace('customer', 'Customer'), signature)],
    ['another secret', deliver(event, { secret: 'whsec_other' })],
    ['too old', deliver(event, minutes(-6))],
    ['from the future', deliver(event, minutes(6))],
    ['two times', post(body, `t=${Math.floor(Date.now() / 1_000)},${signature}`.replace(/v1=(.)/, 'v1=0$1'))],
    ['nothing', post('', signature)],
  ] as const)
    t.match((await answer).json(), { status: 400, code: 'event_not_signed' }, why)
  t.notOk(await kept(event.id))
  t.equal((await deliver(event, { secret: WEBHOOK_SECRETS[1] })).statusCode, 200, 'the secret before is good too')
})

t.test('a large event is taken, one that is too large is not', async t => {
  const event = (bytes: number) =>
    eventOf('customer.updated', { object: 'customer', metadata: { a: 'x'.repeat(bytes) } })
  t.equal((await deliver(event(5_000_000))).statusCode, 200)
  t.equal((await deliver(event(5_300_000))).statusCode, 413)
})

const PAYMENTS = Number(process.env.STRIPE_PAYMENTS ?? 8)

t.test('events that come twice and in any order, at two nodes, end as Stripe says', async t => {
  const { below, pick } = seeded(t)
  const node = await anotherNode(t, test, { works: true })
  const payments = await Promise.all(
    Array.from({ length: PAYMENTS }, () => begin(pick(['pm_card_late', 'pm_card_action']))),
  )
  const ends = payments.map(({ reference }) => {
    const intent = server.intents.get(reference)
    const isPaid = below(3) > 0
    const before = eventOf(`payment_intent.${intent.status}`, { ...intent })
    if (isPaid) capture(server, intent)
    else Object.assign(intent, { status: 'requires_payment_method', last_payment_error: { code: 'card_declined' } })
    const after = eventOf(`payment_intent.${isPaid ? 'succeeded' : 'payment_failed'}`, { ...intent })
    return {
      events: [eventOf('payment_intent.created', { ...intent }), before, after],
      status: isPaid ? 'succeeded' : 'failed',
    }
  })
  const history = ends.flatMap(({ events }) => [...events, ...events])
  const shuffled = history.map(event => ({ event, at: below(1_000_000) })).toSorted((a, b) => a.at - b.at)
  await Promise.all(shuffled.map(({ event }) => event).map(event => deliver(event, {}, pick([app, node]))))
  const statuses = async () => {
    const rows = await sql('select id, status from payments where id = any($1)', [payments.map(({ id }) => id)])
    const byId = new Map(rows.map((row: { id: string; status: string }) => [row.id, row.status]))
    return payments.map(({ id }) => byId.get(id))
  }
  await eventually(
    async () => (await statuses()).every(status => status === 'succeeded' || status === 'failed'),
    'all end',
  )
  t.same(
    await statuses(),
    ends.map(({ status }) => status),
  )
  for (const { reference } of payments) t.ok((server.charges.get(reference) ?? 0) <= 1)
  const posted = await sql(`select source_id, count(*)::int as n from transfers where source = 'payment' group by 1`)
  t.ok(posted.every(({ n }: { n: number }) => n === 1))
})

t.test('without Stripe there is no such route', async t => {
  const { app: other } = await testApp(t)
  t.equal((await other.inject({ method: 'POST', url: '/api/v1/webhooks/stripe', payload: {} })).statusCode, 405)
})
