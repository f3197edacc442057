import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import t from 'tap'
import { Database } from '../../src/database/client.ts'
import { statement } from '../../src/database/statement.ts'
import { connect, emptyDatabase } from './postgres.ts'
import { startProxy } from './proxy.ts'

const ENDED = 8
const BOUND_MS = 15_000
const POLL_MS = 10
const one = statement('fault.one', () => sql<{ one: number }>`select 1 as one`)

t.test('connections that end in the moment in which they are ready are opened again', async t => {
  const url = await emptyDatabase(t)
  const proxy = await startProxy(t, url)
  const database = new Database({ url: proxy.url, pool: 2, fastPath: true, log: { warn() {} } })
  await database.open()
  t.teardown(() => database.close())

  const before = proxy.connections
  const ending = () => proxy.connections - before <= ENDED
  proxy.endsNew = ending
  const witness = await connect(url)
  await witness.query(`select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'lintel'`)
  await witness.end()

  const until = performance.now() + BOUND_MS
  while (ending() && performance.now() < until) await sleep(POLL_MS)
  t.notOk(ending(), `it tried again after each of ${ENDED} ends`)
  while (!database.connected && performance.now() < until) await sleep(POLL_MS)
  t.ok(database.connected, 'and is connected')
  t.strictSame(await one(database, {}), [{ one: 1 }], 'a statement runs')
  t.strictSame(await database.transaction(tx => one(tx, {})), [{ one: 1 }], 'a transaction runs')
})
