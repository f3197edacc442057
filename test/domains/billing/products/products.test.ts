import t from 'tap'
import { createKey, createOrganization, createUser } from '../../../helpers/actors.ts'
import { testApp } from '../../../helpers/app.ts'
import { call } from '../../../helpers/call.ts'

const test = await testApp(t)
const { app, sql } = test
const admin = await createUser(test, { role: 'admin' })
const organization = await createOrganization(test)
const euros = { currency: 'EUR', amountCents: 2_900 }
const yen = { currency: 'JPY', amountCents: 4_800 }
const create = (prices: unknown[], more = {}) =>
  call(app, 'POST /products', { as: admin, body: { name: 'Handbook', prices, ...more } })
const change = (id: string, body: object) => call(app, `PATCH /products/${id}`, { as: admin, body })

t.test('a price that is replaced stays in the database as it was; one that is given again keeps its id', async t => {
  const { body: product } = await create([euros, yen])
  const [inEuros, inYen] = product.prices
  t.match(inEuros, { ...euros, interval: null, intervalCount: null })
  const { body: changed } = await change(product.id, { prices: [{ ...euros, amountCents: 3_500 }, yen] })
  t.same(changed.prices.map(({ amountCents }: { amountCents: number }) => amountCents).sort(), [3_500, 4_800])
  t.ok(
    changed.prices.some(({ id }: { id: string }) => id === inYen.id),
    'the same price in yen',
  )
  const [old] = await sql('select amount_cents, archived_at from prices where id = $1', [inEuros.id])
  t.match(old, { amount_cents: '2900', archived_at: Date })
})

t.test('a product has prices for several currencies and periods, but one for each', async t => {
  const monthly = { ...euros, interval: 'month' }
  const quarterly = { ...euros, interval: 'month', intervalCount: 3 }
  const { body } = await create([euros, yen, monthly, quarterly])
  t.same(
    body.prices.map(({ intervalCount }: { intervalCount: number }) => intervalCount),
    [null, null, 1, 3],
  )
  const twice = await create([monthly, { ...monthly, amountCents: 1, intervalCount: 1 }])
  t.match(twice.body, { code: 'validation_failed', errors: [{ pointer: '#/prices/1' }] })
  const half = await create([{ ...euros, intervalCount: 3 }])
  t.match(half.body, { code: 'validation_failed', errors: [{ pointer: '#/prices/0/intervalCount' }] })
})

t.test('amounts that are no positive integer, and currencies that are none, are refused', async t => {
  for (const amountCents of [0, -1, 1.5, 2 ** 53, '2900', null, 1e300])
    t.equal((await create([{ currency: 'EUR', amountCents }])).status, 422, String(amountCents))
  for (const currency of ['eur', 'XXX', 'XAU', 'EURO', '', null])
    t.equal((await create([{ currency, amountCents: 1 }])).status, 422, String(currency))
  t.equal((await create([{ currency: 'KWD', amountCents: Number.MAX_SAFE_INTEGER }])).status, 201)
  for (const taxBasisPoints of [-1, 10_001, 0.5])
    t.equal((await create([euros], { taxBasisPoints })).status, 422, String(taxBasisPoints))
})

t.test('everybody signed in reads products, only an admin of the platform writes them', async t => {
  const { body: product } = await create([euros])
  const key = await createKey(test, organization.id, 'products:read')
  for (const as of [organization.viewer, organization.outsider, key])
    t.equal((await call(app, `GET /products/${product.id}`, { as })).status, 200)
  t.equal((await call(app, `GET /products/${product.id}`)).status, 401)
  const as = organization.owner
  t.equal((await call(app, 'POST /products', { as, body: { name: 'x', prices: [euros] } })).status, 403)
  t.equal((await call(app, `PATCH /products/${product.id}`, { as, body: { name: 'x' } })).status, 403)
})

t.test('prices that are replaced at once end as one of the given lists, with one event for each change', async t => {
  const { body: product } = await create([euros])
  const lists = Array.from({ length: 10 }, (_, at) => [{ ...euros, amountCents: 5_000 + at }, yen])
  const answers = await Promise.all(lists.map(prices => change(product.id, { prices })))
  t.ok(answers.every(({ status }) => status === 200))
  const { body } = await call(app, `GET /products/${product.id}`, { as: admin })
  t.equal(body.prices.length, 2)
  const [{ n }] = await sql(`select count(*)::int as n from events where target_id = $1`, [product.id])
  t.equal(n, 1 + lists.length)
})

t.test('archived products can be told apart, and are found by name', async t => {
  const { body: product } = await create([euros], { name: 'Almanac 1999' })
  await change(product.id, { status: 'archived' })
  const ids = async (query: string) =>
    (await call(app, `GET /products?${query}`, { as: organization.viewer })).body.data.map(
      ({ id }: { id: string }) => id,
    )
  t.same(await ids('status=archived'), [product.id])
  t.same(await ids('search=almanac'), [product.id])
  t.notOk((await ids('status=active')).includes(product.id))
})
