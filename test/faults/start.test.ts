import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { migrate } from '../../src/database/migrate.ts'
import { checkLintel, launchLintel, startLintel } from './lintel.ts'
import { connect, emptyDatabase } from './postgres.ts'
import { type PostgresProxy, startProxy } from './proxy.ts'
import { createTenant } from './tenant.ts'

const INSTANCES = 2
const POLL_MS = 5

t.test('instances that start at once on an empty database: all serve, and the schema is made once', async t => {
  const databaseUrl = await emptyDatabase(t)
  const lintels = await Promise.all(Array.from({ length: INSTANCES }, () => launchLintel(t, { databaseUrl })))
  await Promise.all(lintels.map(lintel => lintel.whenReady()))

  const database = await connect(databaseUrl)
  const { rows } = await database.query(`
    select hash, count(*)::int as times from drizzle.__drizzle_migrations group by hash having count(*) <> 1`)
  t.strictSame(rows, [], 'every migration is applied once')
  const jobs = await database.query('select count(*)::int as versions from jobs.version')
  t.strictSame(jobs.rows, [{ versions: 1 }], 'the queue has one schema')
  await database.end()

  for (const lintel of lintels) {
    t.ok(await createTenant(lintel.base), 'each instance writes')
    t.equal(await lintel.end('SIGTERM'), 0, 'each ends in order')
    t.strictSame(lintel.faults(), [], 'no error in its log')
  }
})

const SILENT = 'The database of DATABASE_URL does not answer: see whether the server hangs, and start again.'
const ENDED = /^The database of DATABASE_URL cannot be reached: [^\n]+\.$/

/** Starts a process through a proxy; returns what it says when it ends with 1. */
async function failStart(t: Test, fail: (proxy: PostgresProxy) => Promise<void>): Promise<string> {
  const databaseUrl = await emptyDatabase(t)
  await migrate(databaseUrl)
  const proxy = await startProxy(t, databaseUrl)
  const lintel = await launchLintel(t, { databaseUrl: proxy.url })
  await fail(proxy)
  while (lintel.alive()) await sleep(POLL_MS)
  t.equal(await lintel.end('SIGKILL'), 1)
  return lintel.log().trim()
}

/** The connections that a start needs before those of the application: two look for a pooler, one migrates. */
const FIRST = 3

/** Falls silent when a connection of the application is being prepared. */
const holdWhilePreparing = (proxy: PostgresProxy) =>
  new Promise<void>(resolve => {
    proxy.onQuery = chunk => {
      if (proxy.connections <= FIRST || !chunk.includes('begin_event_epoch')) return
      proxy.hold()
      resolve()
    }
  })

t.test('a database that falls silent in the middle of a start ends it, with one sentence', async t => {
  const said = await failStart(t, async proxy => {
    while (proxy.connections <= FIRST) await sleep(POLL_MS)
    proxy.hold()
  })
  t.equal(said, SILENT)
})

t.test('a database that falls silent while a pooler is looked for ends the start, with one sentence', async t => {
  const said = await failStart(t, async proxy => {
    while (proxy.connections < 2) await sleep(POLL_MS)
    proxy.hold()
  })
  t.equal(said, SILENT)
})

t.test('a database that falls silent while a connection is prepared ends the start, with one sentence', async t => {
  t.equal(await failStart(t, holdWhilePreparing), SILENT)
})

t.test('a database that closes the connection while it is prepared ends the start, with one sentence', async t => {
  const said = await failStart(t, async proxy => {
    await holdWhilePreparing(proxy)
    proxy.refuse()
  })
  t.match(said, ENDED)
})

t.test('a start on a database that is in order changes nothing in it', async t => {
  const databaseUrl = await emptyDatabase(t)
  await (await startLintel(t, { databaseUrl })).end('SIGTERM')
  const before = await schemaOf(databaseUrl)
  await (await startLintel(t, { databaseUrl })).end('SIGTERM')
  t.strictSame(await schemaOf(databaseUrl), before)
})

t.test('--check tells whether the configuration is complete, and touches nothing', async t => {
  const complete = {
    NODE_ENV: 'production',
    PUBLIC_URL: 'https://lintel.test',
    DATABASE_URL: 'postgres://127.0.0.1:1/none',
    ENCRYPTION_KEYS: 'pM3vX0m5n1m8Jr0yq2c7F4tZs6Qe9WbLhUdKiGoAxYk=',
  }
  const secret = 'Kf4-start-tests-only-2sRx-Vn91-qD7e-Hy3a'
  t.same(await checkLintel({ ...complete, JWT_SECRET: secret }), { code: 0, said: 'The configuration is complete.\n' })
  const short = await checkLintel({ ...complete, JWT_SECRET: secret.slice(0, 20) })
  t.equal(short.code, 1)
  t.match(short.said, /JWT_SECRET/)
  t.notMatch(short.said, secret.slice(0, 20), 'the variable is named, its value is not')
})

async function schemaOf(url: string): Promise<unknown[]> {
  const database = await connect(url)
  const { rows } = await database.query(`
    select table_schema, table_name, column_name, data_type from information_schema.columns
    where table_schema not in ('pg_catalog', 'information_schema') order by 1, 2, 3`)
  await database.end()
  return rows
}
