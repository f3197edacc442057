import t from 'tap'
import { reconcile } from '../../../../src/domains/billing/ledger/service/reconciliation.ts'
import { newId } from '../../../../src/lib/ids.ts'
import { createOrganization, createUser } from '../../../helpers/actors.ts'
import { testApp } from '../../../helpers/app.ts'
import { call } from '../../../helpers/call.ts'

const test = await testApp(t)
const { app, sql } = test

t.test('reconciliation finds nothing in true books, and each kind of difference', async t => {
  const as = await createUser(test, { role: 'admin' })
  const { id } = await createOrganization(test)
  const open = async (kind: string) =>
    (await call(app, `POST /organizations/${id}/accounts`, { as, body: { currency: 'EUR', kind } })).body.id
  const [bank, cash] = [await open('system'), await open('normal')]
  const body = { fromAccountId: bank, toAccountId: cash, amountCents: 500, currency: 'EUR' }
  const made = await call(app, 'POST /transfers', { as, body, headers: { 'idempotency-key': newId() } })
  t.equal(made.status, 201)
  t.same(await reconcile(app.database, app.log), { accounts: [], transfers: [] })

  await sql('update accounts set balance_cents = 501 where id = $1', [cash])
  t.same(await reconcile(app.database, app.log), { accounts: [cash], transfers: [] }, 'a balance without an entry')
  await sql('update accounts set balance_cents = 500 where id = $1', [cash])

  const lonely = newId()
  await sql(
    `insert into entries (account_id, seq, transfer_id, amount_cents, balance_cents) values ($1, 2, $2, 7, 507)`,
    [cash, lonely],
  )
  t.same(
    await reconcile(app.database, app.log),
    { accounts: [cash], transfers: [lonely] },
    'an entry without a transfer',
  )
})
