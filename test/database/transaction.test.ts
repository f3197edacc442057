import { sql as query } from 'drizzle-orm'
import t from 'tap'
import { Database } from '../../src/database/client.ts'
import { one, type Params, statement, statements } from '../../src/database/statement.ts'
import { Turns } from '../../src/database/turns.ts'
import { requestErrors } from '../../src/lib/errors.ts'
import { newId } from '../../src/lib/ids.ts'
import { testApp } from '../helpers/app.ts'

const test = await testApp(t, { databasePool: 3 })
const { database } = test.app
await test.sql('create table notes (id integer primary key, text text, at timestamptz(3), big bigint)')

const insert = statement(
  'test.insert',
  (_, $: Params<{ id: number; text: string }>) => query`insert into notes (id, text) values (${$.id}, ${$.text})`,
)
const find = one(
  statement(
    'test.find',
    (_, $: Params<{ id: number }>) => query<{ text: string }>`select text from notes where id = ${$.id}`,
  ),
)
const backend = one(statement('test.backend', () => query<{ pid: number }>`select pg_backend_pid() as pid`))
const lock = one(
  statement(
    'test.lock',
    (_, $: Params<{ n: number }>) => query<{ got: boolean }>`select pg_try_advisory_xact_lock(${$.n}) as got`,
  ),
)

t.test(
  'a statement runs on the connection of the transaction it is given, also when it was prepared elsewhere',
  async t => {
    await find(database, { id: 0 })
    await database.transaction(async tx => {
      const pid = (await backend(tx, {}))?.pid
      await insert(tx, { id: 1, text: 'inside' })
      t.match(await find(tx, { id: 1 }), { text: 'inside' })
      t.equal(await find(database, { id: 1 }), undefined, 'nobody outside sees it yet')
      t.equal((await backend(tx, {}))?.pid, pid)
      t.not((await backend(database, {}))?.pid, pid)
    })
    t.match(await find(database, { id: 1 }), { text: 'inside' })
  },
)

t.test('what throws is undone, and the connection is good for the next', async t => {
  for (const error of [new Error('ours'), requestErrors.forbidden()]) {
    const failed = database.transaction(async tx => {
      await insert(tx, { id: 2, text: 'gone' })
      throw error
    })
    await t.rejects(failed, error)
  }
  const refused = database.transaction(tx => insert(tx, { id: 1, text: 'again' }))
  await t.rejects(refused, { code: '23505', constraint: 'notes_pkey' })
  t.equal(await find(database, { id: 2 }), undefined)
  const rounds = Array.from({ length: 50 }, () => database.transaction(tx => backend(tx, {})))
  t.ok((await Promise.all(rounds)).every(row => (row?.pid ?? 0) > 0))
})

t.test('a refusal is answered when its locks are free', async t => {
  for (let n = 0; n < 50; n++) {
    const refused = database.transaction(async tx => {
      await lock(tx, { n })
      throw requestErrors.forbidden()
    })
    await t.rejects(refused)
    t.match(await database.transaction(tx => lock(tx, { n })), { got: true })
  }
})

t.test('concurrent transactions do not mix', async t => {
  await Promise.all(
    Array.from({ length: 40 }, (_, at) =>
      database
        .transaction(async tx => {
          await insert(tx, { id: 100 + at, text: `t${at}` })
          t.match(await find(tx, { id: 100 + at }), { text: `t${at}` })
          if (at % 2) throw new Error('undone')
        })
        .catch(() => {}),
    ),
  )
  const rows = await test.sql('select id from notes where id >= 100 order by id')
  t.same(
    rows.map(({ id }: { id: number }) => id),
    Array.from({ length: 20 }, (_, at) => 100 + at * 2),
  )
})

t.test('columns come in camelCase, times as ISO 8601, big integers exact or refused', async t => {
  await test.sql(
    `insert into notes values (50, 'x', '2030-01-02 03:04:05.6+00', 9007199254740991), (51, 'x', null, 9007199254740992)`,
  )
  const row = one(
    statement(
      'test.types',
      (_, $: Params<{ id: number }>) => query<object>`
      select at as happened_at, big, null as nothing_here, '{"a":[1]}'::jsonb as data, array[1, 2] as list, true as yes
      from notes where id = ${$.id}`,
    ),
  )
  t.same(await row(database, { id: 50 }), {
    happenedAt: '2030-01-02T03:04:05.600Z',
    big: 9007199254740991,
    nothingHere: null,
    data: { a: [1] },
    list: [1, 2],
    yes: true,
  })
  await t.rejects(row(database, { id: 51 }), { cause: RangeError })
  t.match(await row(database, { id: 50 }), { big: 9007199254740991 }, 'and the connection is good')
})

t.test('each shape of a statement is one of its own', async t => {
  const pick = statements(
    'test.shapes',
    (_, _$: Params<object>, column: 'id' | 'text') =>
      query<Record<string, unknown>>`select ${query.identifier(column)} from notes where id = 1`,
  )
  for (let round = 0; round < 2; round++) {
    t.same(await pick(database, 'id', {}), [{ id: 1 }])
    t.same(await pick(database, 'text', {}), [{ text: 'inside' }])
  }
})

t.test('a column that is added does no harm; one that goes puts no value under the name of another', async t => {
  await test.sql(`create table moved (id integer, text text, more text)`)
  await test.sql(`insert into moved values (1, 'text', 'more')`)
  const all = one(statement('test.moved', () => query<object>`select * from moved`))
  const onNewConnections = async () => {
    const fresh = new Database({ url: test.config.databaseUrl, pool: 1, fastPath: true, log: { warn: () => {} } })
    await fresh.open()
    return all(fresh, {}).finally(() => fresh.close())
  }
  const row = { id: 1, text: 'text', more: 'more' }
  t.same(await all(database, {}), row)
  t.same(await onNewConnections(), row)
  await test.sql(`alter table moved add column last text default 'last'`)
  t.same(await onNewConnections(), row)
  await test.sql('alter table moved drop column text')
  await t.rejects(onNewConnections(), /columns of the statement have changed/)
})

const row = newId()

t.test('many that queue for one id leave connections for others', async t => {
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  let done = 0
  const first = database.transaction(() => ended, row)
  const queued = Array.from({ length: 50 }, () => database.transaction(async () => void done++, row))
  t.equal(await database.transaction(async () => 'another', newId()), 'another')
  t.equal(await database.transaction(async () => 'none'), 'none')
  end()
  await Promise.all([first, ...queued])
  t.equal(done, 50)
})

t.test('who waits too long for a turn is refused and does nothing', async t => {
  const turns = new Turns(20)
  const { promise: ended, resolve: end } = Promise.withResolvers<void>()
  const first = Promise.all([turns.of(row, () => ended), turns.of(row, () => ended)])
  let isDone = false
  const late = turns.of(row, async () => {
    isDone = true
  })
  await t.rejects(late, { code: 'handler_timeout' })
  end()
  await first
  await turns.of(row, async () => {})
  t.notOk(isDone)
})

t.test('what throws in its turn lets the next have theirs', async t => {
  const failed = database.transaction(() => Promise.reject(new Error('ours')), row)
  const next = database.transaction(async () => 'done', row)
  await t.rejects(failed, { message: 'ours' })
  t.equal(await next, 'done')
})
