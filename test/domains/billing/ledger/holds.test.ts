import t from 'tap'
import { expireHolds } from '../../../../src/domains/billing/ledger/service/holds.ts'
import { testApp } from '../../../helpers/app.ts'
import { call } from '../../../helpers/call.ts'
import { bookkeeping, faultsOf, move } from './books.ts'

const test = await testApp(t)
const { app, sql } = test
const { books, open, post, transfer, account, platformAdmin } = await bookkeeping(test)

type Books = Awaited<ReturnType<typeof books>>
const hold = ({ owner, cash }: Books, amountCents: number, more: object = {}) =>
  post(`/accounts/${cash}/holds`, owner, { amountCents, ...more })
const capture = ({ owner, reserve }: Books, id: string, amountCents?: number) =>
  post(`/holds/${id}/capture`, owner, { toAccountId: reserve, ...(amountCents && { amountCents }) })
const release = ({ owner }: Books, id: string) => call(app, `POST /holds/${id}/release`, { as: owner })
const eventsOf = async (id: string) =>
  (await sql('select type from events where target_id = $1 order by seq', [id])).map(
    ({ type }: { type: string }) => type,
  )

t.test('a hold reserves its amount: the balance stays, and only the rest can be moved or held', async t => {
  const at = await books()
  const made = await hold(at, 700, { reference: 'Deposit' })
  t.match(made, {
    status: 201,
    body: {
      status: 'held',
      amountCents: 700,
      capturedCents: 0,
      currency: 'EUR',
      reference: 'Deposit',
      accountId: at.cash,
    },
    headers: { location: `/api/v1/holds/${made.body.id}`, 'cache-control': 'no-store' },
  })
  t.match(await call(app, `GET /accounts/${at.cash}`, { as: at.owner }), {
    body: { balanceCents: 1_000, heldCents: 700 },
  })
  for (const answer of [await transfer(at.owner, move(at.cash, at.reserve, 301)), await hold(at, 301)])
    t.match(answer, { status: 409, body: { code: 'insufficient_funds' } })
  t.equal((await transfer(at.owner, move(at.cash, at.reserve, 300))).status, 201)
  t.same(await account(at.cash), { balance: 700, held: 700, entries: 2 })
})

t.test('a hold is captured wholly: the amount moves, by a transfer that names the hold', async t => {
  const at = await books()
  const { id } = (await hold(at, 700, { reference: 'Deposit' })).body
  const captured = await capture(at, id)
  t.match(captured, {
    status: 201,
    body: { ...move(at.cash, at.reserve, 700), source: 'hold', sourceId: id, reference: 'Deposit' },
    headers: { location: `/api/v1/transfers/${captured.body.id}` },
  })
  t.match((await call(app, `GET /holds/${id}`, { as: at.owner })).body, { status: 'captured', capturedCents: 700 })
  t.same(await account(at.cash), { balance: 300, held: 0, entries: 2 })
  t.same(await eventsOf(id), ['hold.created', 'hold.captured'])
})

t.test('of a hold that is captured in part, the rest is free again', async t => {
  const at = await books()
  const { id } = (await hold(at, 1_000)).body
  t.match(await capture(at, id, 1_001), { status: 409, body: { code: 'capture_too_large' } })
  t.equal((await capture(at, id, 400)).status, 201)
  t.same(await account(at.cash), { balance: 600, held: 0, entries: 2 })
  t.match(await capture(at, id, 1), { status: 409, body: { code: 'hold_ended' } })
})

t.test('a released hold frees its amount, once, and If-Match holds on it', async t => {
  const at = await books()
  const { id } = (await hold(at, 700)).body
  const stale = { as: at.owner, headers: { 'if-match': '"9"' } }
  t.equal((await call(app, `POST /holds/${id}/release`, stale)).status, 412)
  t.match(await release(at, id), { status: 200, body: { status: 'released', capturedCents: 0 } })
  t.match(await release(at, id), { status: 409, body: { code: 'hold_ended' } })
  t.same(await account(at.cash), { balance: 1_000, held: 0, entries: 1 })
  t.same(await eventsOf(id), ['hold.created', 'hold.released'])
})

t.test('of capturing and releasing at once, many times, one wins', async t => {
  for (let round = 0; round < 5; round++) {
    const at = await books()
    const { id } = (await hold(at, 700)).body
    const answers = await Promise.all([
      capture(at, id),
      release(at, id),
      capture(at, id),
      release(at, id),
      capture(at, id, 1),
    ])
    t.equal(answers.filter(({ status }) => status < 300).length, 1)
    t.ok(answers.every(({ status, body }) => status < 300 || body.code === 'hold_ended'))
  }
})

t.test('twenty holds at once never reserve more than there is', async t => {
  const at = await books()
  const answers = await Promise.all(Array.from({ length: 20 }, () => hold(at, 300)))
  t.equal(answers.filter(({ status }) => status === 201).length, 3)
  t.same(await account(at.cash), { balance: 1_000, held: 900, entries: 1 })
})

t.test('a hold whose time has come cannot be captured, and the job frees it, once', async t => {
  const at = await books()
  const past = await hold(at, 1, { expiresAt: '2020-01-01T00:00:00Z' })
  t.match(past, { status: 422, body: { errors: [{ pointer: '#/expiresAt' }] } })
  const [first, second, lasting] = await Promise.all([hold(at, 100), hold(at, 200), hold(at, 300)])
  await sql(`update holds set expires_at = now() - interval '1 second' where id = any($1)`, [
    [first?.body.id, second?.body.id],
  ])
  t.match(await capture(at, first?.body.id), { status: 409, body: { code: 'hold_ended' } })
  await Promise.all([app.database.transaction(expireHolds), app.database.transaction(expireHolds)])
  t.same(await account(at.cash), { balance: 1_000, held: 300, entries: 1 })
  t.same(await eventsOf(first?.body.id), ['hold.created', 'hold.expired'])
  t.match((await call(app, `GET /accounts/${at.cash}/holds?status=held`, { as: at.owner })).body, {
    data: [{ id: lasting?.body.id }],
  })
})

t.test('a capture goes to another account of the same organization and currency', async t => {
  const [at, theirs] = [await books(), await books()]
  const { id } = (await hold(at, 700)).body
  const yen = await open(at.id, { currency: 'JPY' })
  const to = (toAccountId: string, as = at.owner) => post(`/holds/${id}/capture`, as, { toAccountId })
  t.equal((await to(theirs.cash)).status, 404)
  t.equal((await to(theirs.cash, platformAdmin)).status, 422)
  t.equal((await to(at.cash.toUpperCase())).status, 422)
  t.match(await to(yen), { status: 422, body: { code: 'currency_mismatch' } })
  t.equal((await to(at.bank)).status, 403)
  t.same(await account(at.cash), { balance: 1_000, held: 700, entries: 1 }, 'the hold stays')
  t.equal((await to(at.bank, platformAdmin)).status, 201)
})

t.test(
  'the hold of another organization does not exist, members only read one, and a system account has none',
  async t => {
    const [at, theirs] = [await books(), await books()]
    const { id } = (await hold(at, 10)).body
    t.equal((await capture({ ...theirs }, id)).status, 404)
    t.equal((await release(theirs, id)).status, 404)
    t.equal((await post(`/holds/${id}/capture`, at.member, { toAccountId: at.reserve })).status, 403)
    t.equal((await call(app, `GET /holds/${id}`, { as: at.viewer })).status, 200)
    t.match(await post(`/accounts/${at.bank}/holds`, platformAdmin, { amountCents: 1 }), {
      status: 409,
      body: { code: 'account_not_holdable' },
    })
  },
)

t.test('a hold needs a key, and an amount that can be; the same request again makes no second one', async t => {
  const at = await books()
  const bare = await call(app, `POST /accounts/${at.cash}/holds`, { as: at.owner, body: { amountCents: 1 } })
  t.match(bare, { status: 400, body: { code: 'idempotency_key_required' } })
  for (const amountCents of [0, -1, 0.5, '1', 2 ** 53, null])
    t.equal((await hold(at, amountCents as number)).status, 422)
  const twice = () => post(`/accounts/${at.cash}/holds`, at.owner, { amountCents: 10 }, `again-${at.cash}`)
  t.equal((await twice()).text, (await twice()).text)
  t.same(await account(at.cash), { balance: 1_000, held: 10, entries: 1 })
})

t.test('the database deletes no hold, and lets no balance fall below what is held', async t => {
  const at = await books()
  await hold(at, 700)
  await t.rejects(sql('delete from holds where account_id = $1', [at.cash]), { code: '23001' })
  await t.rejects(sql('update accounts set balance_cents = 699 where id = $1', [at.cash]), { code: '23514' })
})

t.test('after all that the books are true', async t => {
  t.same(await faultsOf(test), [])
})
