import t from 'tap'
import { reconcilePayments } from '../../../../src/domains/billing/payments/service/reconciliation.ts'
import { testApp } from '../../../helpers/app.ts'
import { awaitMail, eventually, mailsTo } from '../../../helpers/mail.ts'
import { openShop } from '../shop.ts'

const test = await testApp(t, { works: true })
const { app, sql } = test
const shop = await openShop(test)
const { organization, post } = shop

/** As if a quarter of an hour had passed: what has just moved is left for the next day. */
const LATER_MS = 900_000
const found = async () =>
  (await reconcilePayments(app, Date.now() + LATER_MS)).map(({ type, data }) => `${type.name} ${data.id}`)

async function paid(amountCents: number, paymentMethod = 'pm_sandbox_success', status = 'succeeded') {
  const body = { amountCents, currency: 'EUR', paymentMethod }
  const { id } = (await post(`/organizations/${organization.id}/payment-intents`, body)).body
  await shop.payment(id, status)
  return id as string
}
async function refund(id: string, amountCents: number): Promise<string> {
  const { body } = await post(`/payments/${id}/refunds`, { amountCents })
  const find = () => sql(`select from refunds where id = $1 and status = 'succeeded'`, [body.id])
  await eventually(async () => (await find()).length === 1, 'the refund is paid')
  return body.id
}

t.test('where provider, payments and ledger agree, reconciliation finds nothing', async t => {
  for (const method of ['pm_sandbox_success', 'pm_sandbox_timeout', 'pm_sandbox_late']) await paid(1_000, method)
  await paid(1_000, 'pm_sandbox_declined', 'failed')
  const refunded = await paid(5_000)
  for (const amount of [1_000, 500]) await refund(refunded, amount)
  for (let n = 0; n < 12; n++) await paid(10 + n)
  t.same(await found(), [])
  t.same(await mailsTo(test, shop.admin.email), [])
})

t.test('what has just moved is not compared: the two sides would be read at different moments', async t => {
  const id = await paid(700)
  await sql('update sandbox_payments set amount_cents = 600 where id = $1', [id])
  t.same(await reconcilePayments(app), [])
  t.same(await found(), [`payment.unreconciled ${id}`])
  await sql('update sandbox_payments set amount_cents = 700 where id = $1', [id])
})

t.test('each kind of difference is found, is an event of its organization, and a mail to the admins', async t => {
  const id = await paid(2_000)
  const sandbox = (change: string) => sql(`update sandbox_payments set ${change} where id = $1`, [id])
  await sandbox('charges = 2')
  t.same(await found(), [`payment.unreconciled ${id}`], 'taken twice')
  const [{ data, organization_id }] = await sql(
    'select data, organization_id from events where type = $1 and target_id = $2',
    ['payment.unreconciled', id],
  )
  t.match(data, { status: 'succeeded', amountCents: 2_000, takenCents: 4_000, returnedCents: 0, postedCents: 2_000 })
  t.equal(organization_id, organization.id)
  const mail = await awaitMail(test, shop.admin.email, 2)
  t.match(mail.text, /payment .*: succeeded, 2000 less 0; the provider has 4000 less 0, the ledger 2000 less 0/)
  await sandbox('charges = 1, refunded_cents = 5')
  t.same(await found(), [`payment.unreconciled ${id}`], 'paid back without a refund of ours')
  await sandbox('refunded_cents = 0')

  const never = await paid(100)
  await sql('delete from sandbox_payments where id = $1', [never])
  t.same(await found(), [`payment.unreconciled ${never}`], 'a payment that the provider does not know')
  await sql('update payments set reference = null where id = $1', [never])

  const declined = await paid(300, 'pm_sandbox_declined', 'failed')
  await sql('update sandbox_payments set charges = 1 where id = $1', [declined])
  t.same(await found(), [`payment.unreconciled ${declined}`], 'money taken for a payment that has failed')
  await sql('update sandbox_payments set charges = 0 where id = $1', [declined])

  const most = Number.MAX_SAFE_INTEGER
  const [full] = [await paid(most - 100_000), await paid(200_000)]
  t.equal((await found()).length, 1, `a payment for which a balance had no room, beside ${full}`)
})

t.test('a provider that does not answer is no difference, and the others are compared all the same', async t => {
  const before = await found()
  const silent = await paid(800)
  const record = app.payments.record.bind(app.payments)
  app.payments.record = reference => (reference === silent ? Promise.reject(new Error('no answer')) : record(reference))
  t.teardown(() => {
    app.payments.record = record
  })
  await sql('update sandbox_payments set charges = 2 where id = $1', [silent])
  t.same(await found(), before)
})
