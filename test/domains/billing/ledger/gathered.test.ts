import { randomUUID } from 'node:crypto'
import pg from 'pg'
import t from 'tap'
import { testApp } from '../../../helpers/app.ts'
import { recordStatements, statementsOf } from '../../../helpers/statements.ts'
import { bookkeeping, faultsOf, move } from './books.ts'

const test = await testApp(t)
const { app, sql } = test
const { books, open, transfer, account, platformAdmin } = await bookkeeping(test)

const GATHERED = 'ledger.post_transfers'
const countOf = (statements: { name: string }[]) => statements.filter(({ name }) => name === GATHERED).length
const times = <T>(n: number, make: (at: number) => T): T[] => Array.from({ length: n }, (_, at) => make(at))

t.test('transfers of many callers share statements, each with its event and its kept answer', async t => {
  const all = await Promise.all(times(8, () => books()))
  const seen = recordStatements(app)
  const sent = all.flatMap(({ owner, cash, reserve }) =>
    times(10, n => ({ owner, key: randomUUID(), body: { ...move(cash, reserve, n + 1), reference: `No ${n}` } })),
  )
  const answers = await Promise.all(sent.map(({ owner, body, key }) => transfer(owner, body, key)))
  t.ok(
    answers.every(({ status }) => status === 201),
    '201',
  )
  t.ok(countOf(seen) < 20, `${countOf(seen)} statements for 80 transfers`)
  for (const [at, { body, owner, key }] of sent.entries()) {
    const answer = answers[at]
    t.match(answer?.body, { ...body, createdBy: owner.id })
    t.match(answer?.headers, {
      etag: '"1"',
      location: `/api/v1/transfers/${answer?.body.id}`,
      'cache-control': 'no-store',
    })
    if (at % 10 > 0) continue
    const again = await transfer(owner, body, key)
    t.match(again.headers, { 'idempotent-replayed': 'true', etag: '"1"', location: answer?.headers.location })
    t.equal(again.text, answer?.text)
    t.match(await sql('select type, data, actor_id from events where target_id = $1', [answer?.body.id]), [
      { type: 'transfer.created', data: answer?.body, actor_id: owner.id },
    ])
  }
  for (const { cash, reserve } of all) {
    t.match(await account(cash), { balance: 945, entries: 11 })
    t.match(await account(reserve), { balance: 55, entries: 10 })
  }
  t.same(await faultsOf(test), [])
})

t.test('each is judged by itself: what cannot be made fails with its own reason, and nobody else’s does', async t => {
  const [at, theirs] = [await books(), await books()]
  const { owner, member, cash, reserve, bank } = at
  const yen = await open(at.id, { currency: 'JPY' })
  const bad = [
    [move(cash, randomUUID(), 1), 404, 'not_found'],
    [move(cash, theirs.cash, 1), 404, 'not_found'],
    [move(theirs.cash, cash, 1), 404, 'not_found'],
    [move(cash, cash.toUpperCase(), 1), 422, 'validation_failed'],
    [move(cash, yen, 1), 422, 'currency_mismatch'],
    [move(cash, reserve, 1, 'JPY'), 422, 'currency_mismatch'],
    [move(bank, cash, 1), 403, 'forbidden'],
    [move(cash, reserve, 1_001), 409, 'insufficient_funds'],
    [move(reserve, cash, Number.MAX_SAFE_INTEGER), 409, 'insufficient_funds'],
  ] as const
  const [good, refused, small] = await Promise.all([
    Promise.all(times(30, () => transfer(owner, move(cash, reserve, 1)))),
    Promise.all(bad.map(([body]) => transfer(owner, body))),
    transfer(member, move(cash, reserve, 1)),
  ])
  t.ok(
    good.every(({ status }) => status === 201),
    'all good ones are made',
  )
  for (const [n, [, status, code]] of bad.entries()) t.match(refused[n], { status, body: { code } })
  t.equal(small.status, 403)
  t.match(await account(cash), { balance: 970 })
  t.same(await faultsOf(test), [])
})

t.test('in one statement a balance is spent once, in the order of the requests', async t => {
  const { owner, cash, reserve } = await books({ cents: 100 })
  const answers = await Promise.all(times(20, () => transfer(owner, move(cash, reserve, 30))))
  t.equal(answers.filter(({ status }) => status === 201).length, 3)
  t.ok(answers.every(({ status, body }) => status === 201 || body.code === 'insufficient_funds'))
  t.match(await account(cash), { balance: 10, entries: 4 })
  const there = transfer(owner, move(cash, reserve, 10))
  const back = transfer(owner, move(reserve, cash, 100))
  t.same([(await there).status, (await back).status], [201, 201])
})

t.test('what is held is not moved by a gathered transfer', async t => {
  const { owner, cash, reserve } = await books({ cents: 100 })
  await sql('update accounts set held_cents = 60 where id = $1', [cash])
  const answers = await Promise.all(times(3, () => transfer(owner, move(cash, reserve, 20))))
  t.same(answers.map(({ status }) => status).sort(), [201, 201, 409])
  await sql('update accounts set held_cents = 0 where id = $1', [cash])
})

t.test('the platform moves through system accounts, also in a shared statement', async t => {
  const { owner, bank, cash, reserve } = await books({ cents: 100 })
  const answers = await Promise.all([
    transfer(platformAdmin, move(bank, cash, 50)),
    transfer(owner, move(bank, cash, 50)),
    transfer(owner, move(cash, reserve, 1)),
    transfer(platformAdmin, move(cash, bank, 20)),
  ])
  t.same(
    answers.map(({ status }) => status),
    [201, 403, 201, 201],
  )
  t.match(await account(bank), { balance: -130 })
})

t.test(
  'one key at once, in the same statement and in others, is one transfer, and all get its answer or 409',
  async t => {
    const { owner, cash, reserve } = await books()
    for (let round = 0; round < 5; round++) {
      const key = randomUUID()
      const answers = await Promise.all(times(20, () => transfer(owner, move(cash, reserve, 10), key)))
      const made = answers.filter(({ status }) => status === 201)
      t.equal(new Set(made.map(({ text }) => text)).size, 1, 'the same bytes')
      t.ok(answers.every(({ status, body }) => status === 201 || body.code === 'idempotency_in_progress'))
      t.match(await account(reserve), { balance: 10 * (round + 1) })
      const other = await transfer(owner, move(cash, reserve, 11), key)
      t.match(other, { status: 422, body: { code: 'idempotency_key_reused' } })
      const unknown = await transfer(owner, move(cash, randomUUID(), 10), key)
      t.match(unknown, { status: 422, body: { code: 'idempotency_key_reused' } }, 'also for what would be refused')
    }
  },
)

t.test('an answer older than a day leaves its key free, also in a shared statement', async t => {
  const { owner, cash, reserve } = await books()
  const key = randomUUID()
  const first = await transfer(owner, move(cash, reserve, 10), key)
  await sql(`update idempotency_keys set created_at = now() - interval '25 hours'`)
  const names = await statementsOf(app, async () => {
    const second = await transfer(owner, move(cash, reserve, 10), key)
    t.not(second.body.id, first.body.id)
  })
  t.ok(names.includes(GATHERED) && !names.includes('idempotency.lock'), 'in one statement')
  t.match(await account(reserve), { balance: 20 })
})

t.test('who holds a lock on an account does not hold up the transfers of others', async t => {
  const [blocked, free] = [await books(), await books()]
  const holder = new pg.Client({ connectionString: test.config.databaseUrl })
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query('begin')
  await holder.query('select from accounts where id = $1 for update', [blocked.cash])
  const [waiting, ...others] = await Promise.all([
    transfer(blocked.owner, move(blocked.cash, blocked.reserve, 1)),
    ...times(10, () => transfer(free.owner, move(free.cash, free.reserve, 1))),
  ])
  t.equal(waiting?.status, 503, 'it waits by itself, for two seconds')
  t.same(
    others.map(({ status }) => status),
    times(10, () => 201),
  )
  await holder.query('rollback')
  t.equal((await transfer(blocked.owner, move(blocked.cash, blocked.reserve, 1))).status, 201)
})

t.test('after all that the books are true', async t => {
  t.same(await faultsOf(test), [])
})
