import { randomUUID } from 'node:crypto'
import t from 'tap'
import { applyOutcome } from '../../../../src/domains/billing/payments/service/settlement.ts'
import { testApp } from '../../../helpers/app.ts'
import { call } from '../../../helpers/call.ts'
import { eventually } from '../../../helpers/mail.ts'
import { openShop } from '../shop.ts'

const test = await testApp(t, { works: true })
const { app, sql } = test

async function books() {
  const shop = await openShop(test)
  const { id: organizationId } = shop.organization
  const balances = async () => {
    const { data } = await shop.read(`/organizations/${organizationId}/accounts`)
    return Object.fromEntries(data.map((account: Account) => [account.purpose, account.balanceCents]))
  }
  /** Returns a payment that has succeeded. */
  const paid = async (amountCents: number, currency = 'EUR') => {
    const { body } = await shop.post(`/organizations/${organizationId}/payment-intents`, { amountCents, currency })
    return shop.payment(body.id, 'succeeded')
  }
  const refund = async (id: string, amountCents: number) => {
    const { body } = await shop.post(`/payments/${id}/refunds`, { amountCents })
    const find = async () => (await sql('select status from refunds where id = $1', [body.id]))[0]
    await eventually(async () => (await find()).status === 'succeeded', 'the refund is paid')
    return body
  }
  return { ...shop, organizationId, balances, paid, refund }
}
type Account = { purpose: string; balanceCents: number }

const transfersOf = (id: string) =>
  sql(
    `select source, amount_cents::int as amount, organization_id, created_by, reverses_id, id
     from transfers where source_id = $1 order by id`,
    [id],
  )

t.test('a captured payment and the fee of the provider post themselves, once, with their events', async t => {
  const { paid, balances, organizationId, events } = await books()
  const payment = await paid(10_000)
  t.same(await balances(), { payments: -10_000, provider: 9_850, fees: 150 })
  const posted = await transfersOf(payment.id)
  t.match(posted, [
    { source: 'payment', amount: 10_000, organization_id: organizationId, created_by: null },
    { source: 'fee', amount: 150 },
  ])
  for (const { id } of posted) t.same(await events(id), ['transfer.created'])
  await app.database.transaction(tx => applyOutcome(tx, payment.id, { status: 'succeeded', feeCents: 150 }))
  t.equal((await transfersOf(payment.id)).length, 2, 'told again, nothing is posted again')
  await paid(2_000)
  t.same(await balances(), { payments: -12_000, provider: 11_820, fees: 180 })
})

t.test('a refund posts itself the other way when it is paid back, and one that fails does not', async t => {
  const { paid, refund, balances, post } = await books()
  const payment = await paid(10_000)
  const { id } = await refund(payment.id, 4_000)
  t.match(await transfersOf(id), [{ source: 'refund', amount: 4_000 }])
  t.same(await balances(), { payments: -6_000, provider: 5_850, fees: 150 })
  await sql('update payments set reference = null where id = $1', [payment.id])
  const { body } = await post(`/payments/${payment.id}/refunds`, { amountCents: 100 })
  const find = async () => (await sql('select status from refunds where id = $1', [body.id]))[0]
  await eventually(async () => (await find()).status === 'failed', 'the refund has failed')
  t.same(await transfersOf(body.id), [])
})

t.test('a declined payment posts nothing; each currency has accounts of its own', async t => {
  const { paid, post, payment, organizationId, read } = await books()
  const declined = { amountCents: 500, currency: 'EUR', paymentMethod: 'pm_sandbox_declined' }
  const { body } = await post(`/organizations/${organizationId}/payment-intents`, declined)
  await payment(body.id, 'failed')
  t.same(await transfersOf(body.id), [])
  for (const currency of ['JPY', 'KWD']) await paid(1_000, currency)
  const { data } = await read(`/organizations/${organizationId}/accounts`)
  t.same(data.map(({ currency, purpose }: Account & { currency: string }) => `${currency} ${purpose}`).sort(), [
    'JPY fees',
    'JPY payments',
    'JPY provider',
    'KWD fees',
    'KWD payments',
    'KWD provider',
  ])
})

t.test('twenty first payments at once open the accounts once, and the books add up', async t => {
  const { post, payment, balances, organizationId } = await books()
  const path = `/organizations/${organizationId}/payment-intents`
  const made = await Promise.all(Array.from({ length: 20 }, () => post(path, { amountCents: 100, currency: 'EUR' })))
  for (const { body } of made) await payment(body.id, 'succeeded')
  t.same(await balances(), { payments: -2_000, provider: 1_960, fees: 40 })
})

t.test('a settlement that is rolled back leaves no posting', async t => {
  const { paid } = await books()
  const { id } = await paid(100)
  const pending = randomUUID()
  await sql(
    `insert into payments (id, organization_id, amount_cents, currency, provider, payment_method)
     select $2, organization_id, 700, 'EUR', 'sandbox', 'pm_sandbox_success' from payments where id = $1`,
    [id, pending],
  )
  await t.rejects(
    app.database.transaction(async tx => {
      await applyOutcome(tx, pending, { status: 'succeeded' })
      throw new Error('after the settlement')
    }),
  )
  t.same(await transfersOf(pending), [])
})

t.test('where a balance has no room, the payment is settled all the same', async t => {
  const { paid, balances, payment } = await books()
  const most = Number.MAX_SAFE_INTEGER
  await paid(most)
  const before = await balances()
  const { id } = await paid(most)
  t.match(await payment(id, 'succeeded'), { amountCents: most })
  t.same(await transfersOf(id), [])
  t.same(await balances(), before)
})

t.test('only the platform moves money of these accounts by hand', async t => {
  const { paid, organization, organizationId, read, post, admin } = await books()
  await paid(100)
  const { body: cash } = await post(`/organizations/${organizationId}/accounts`, { currency: 'EUR' })
  const { data } = await read(`/organizations/${organizationId}/accounts`)
  const provider = data.find(({ purpose }: Account) => purpose === 'provider')
  const move = { fromAccountId: provider.id, toAccountId: cash.id, amountCents: 50, currency: 'EUR' }
  t.equal((await post('/transfers', move, organization.owner)).status, 403)
  t.match(await post('/transfers', move, admin), { status: 201, body: { source: null, sourceId: null } })
  t.equal((await call(app, `GET /accounts/${cash.id}`, { as: organization.owner })).body.balanceCents, 50)
})
