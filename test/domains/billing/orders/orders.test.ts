import t from 'tap'
import { testApp } from '../../../helpers/app.ts'
import { call } from '../../../helpers/call.ts'
import { openShop } from '../shop.ts'

const test = await testApp(t)
const { app, sql } = test
const shop = await openShop(test)
const { organization, product, order, post } = shop
const lines = [{ productId: product.id, quantity: 2 }]

t.test('the server computes the totals, tax by line, in the minor units of the currency', async t => {
  const { body: euros } = await order({ lines })
  t.match(euros, { status: 'pending', currency: 'EUR', subtotalCents: 5_800, taxCents: 1_102, totalCents: 6_902 })
  const { body: yen } = await order({ lines, currency: 'JPY' })
  t.match(yen, { currency: 'JPY', subtotalCents: 9_600, taxCents: 1_824, totalCents: 11_424 })
  const { body: dinars } = await order({ lines: [{ ...lines[0], quantity: 1 }], currency: 'KWD' })
  // 1852.5 is rounded up.
  t.match(dinars, { currency: 'KWD', subtotalCents: 9_750, taxCents: 1_853, totalCents: 11_603 })
})

t.test('a line keeps the price it was made with', async t => {
  const own = await shop.createProduct()
  const { body: before } = await order({ lines: [{ productId: own.id, quantity: 1 }] })
  const prices = [{ currency: 'EUR', amountCents: 99_900 }]
  await call(app, `PATCH /products/${own.id}`, { as: shop.admin, body: { name: 'Other', taxBasisPoints: 0, prices } })
  t.same(await shop.read(`/orders/${before.id}`), before)
  const { body: after } = await order({ lines: [{ productId: own.id, quantity: 1 }] })
  t.match(after, { totalCents: 99_900, lines: [{ name: 'Other' }] })
})

t.test('what cannot be sold or counted is refused, and nothing is written', async t => {
  const archived = await shop.createProduct()
  await call(app, `PATCH /products/${archived.id}`, { as: shop.admin, body: { status: 'archived' } })
  const yearly = await shop.createProduct({ prices: [{ currency: 'EUR', amountCents: 1, interval: 'year' }] })
  const yen = await shop.createProduct({ prices: [{ currency: 'JPY', amountCents: 1 }] })
  const dear = await shop.createProduct({ prices: [{ currency: 'EUR', amountCents: Number.MAX_SAFE_INTEGER }] })
  const [{ n: before }] = await sql('select count(*)::int as n from orders')
  const at = (id: string) => ({ lines: [...lines, { productId: id, quantity: 1 }] })
  for (const id of [archived.id, yearly.id, yen.id, organization.id])
    t.match((await order(at(id))).body, { code: 'validation_failed', errors: [{ pointer: '#/lines/1/productId' }] })
  t.match((await order({ lines, currency: 'USD' })).body, { errors: [{ pointer: '#/lines/0/productId' }] })
  t.match((await order(at(dear.id))).body, { status: 422, code: 'amount_out_of_range' })
  t.equal((await order({ lines: [{ productId: dear.id, quantity: 2 }] })).body.code, 'amount_out_of_range')
  for (const quantity of [0, -1, 1.5, '1', null, 2 ** 53])
    t.equal((await order({ lines: [{ productId: product.id, quantity }] })).status, 422, String(quantity))
  for (const more of [
    { totalCents: 1 },
    { currency: 'XXX' },
    { lines: [] },
    { lines: [{ ...lines[0], amountCents: 1 }] },
  ])
    t.equal((await order({ lines, ...more })).status, 422, JSON.stringify(more))
  const [{ n: after }] = await sql('select count(*)::int as n from orders')
  t.equal(after, before)
})

t.test(
  'an order needs an idempotency key, and the same request gets the same bytes, stored by nobody else',
  async t => {
    const path = `POST /organizations/${organization.id}/orders`
    const bare = await call(app, path, { as: organization.member, body: { lines } })
    t.match(bare, { status: 400, body: { code: 'idempotency_key_required' } })
    const headers = { 'idempotency-key': 'one-order' }
    const sent = { as: organization.member, body: { lines }, headers }
    const [first, second] = [await call(app, path, sent), await call(app, path, sent)]
    t.equal(second.text, first.text)
    t.match(second.headers, { 'idempotent-replayed': 'true', 'cache-control': 'no-store' })
    t.equal(first.headers['cache-control'], 'no-store')
    t.match(await call(app, path, { ...sent, body: { lines, currency: 'JPY' } }), { status: 422 })
  },
)

t.test('of many cancellations at once one counts, and a cancelled order stays so', async t => {
  const { id } = await shop.newOrder()
  const answers = await Promise.all(Array.from({ length: 20 }, () => post(`/orders/${id}/cancel`)))
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
  t.ok(answers.every(({ status, body }) => status === 200 || body.code === 'order_not_pending'))
  t.same(await shop.events(id), ['order.created', 'order.cancelled'])
  t.equal((await post(`/orders/${id}/pay`)).body.code, 'order_not_pending')
})

t.test('an order is seen and cancelled in its organization only', async t => {
  const { id } = await shop.newOrder()
  t.equal((await post(`/orders/${id}/cancel`, undefined, organization.viewer)).status, 403)
  t.equal((await post(`/orders/${id}/cancel`, undefined, organization.outsider)).status, 404)
  t.equal((await call(app, `GET /orders/${id}`, { as: organization.outsider })).status, 404)
  const { data } = await shop.read(`/organizations/${organization.id}/orders?status=pending&limit=1`)
  t.equal(data[0].id, id)
})
