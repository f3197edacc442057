import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t from 'tap'
import { DatabaseStartError, migrate } from '../../src/database/migrate.ts'
import { startProxy } from '../faults/proxy.ts'
import { createDatabase } from '../helpers/database.ts'

const BOUND_MS = 400
const PATIENCE_MS = 15_000
const POLL_MS = 10
const { url, drop } = await createDatabase()
t.teardown(drop)

/** Starts the migration; returns its error, which must come within the time limit. */
async function refusal(databaseUrl: string): Promise<string> {
  const begun = performance.now()
  const error: unknown = await migrate(databaseUrl, { boundMs: BOUND_MS }).then(
    () => undefined,
    error => error,
  )
  if (!(error instanceof DatabaseStartError)) throw error
  t.ok(performance.now() - begun < PATIENCE_MS, 'it does not wait for ever')
  t.notMatch(error.message, /\n/, 'one sentence')
  return error.message
}

async function held(statement: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(statement)
  return client
}

t.test('a start waits for the migration lock of another process, but not for ever', async t => {
  const holder = await held('select pg_advisory_lock(4617315517)')
  t.match(await refusal(url), /has been locked for 0\.4 s/)
  const start = migrate(url)
  await holder.end()
  await start
})

t.test(
  'a start waits within its bound for a server that accepts and stays silent, from the first moment or later',
  async t => {
    const silent = createServer(socket => t.teardown(() => void socket.destroy())).listen(0, '127.0.0.1')
    await once(silent, 'listening')
    t.teardown(() => void silent.close())
    const { port } = silent.address() as AddressInfo
    t.match(await refusal(`postgres://postgres@127.0.0.1:${port}/none`), /does not answer/)

    const proxy = await startProxy(t, url)
    const holder = await held('select pg_advisory_lock(4617315517)')
    const refused = refusal(proxy.url)
    while (proxy.connections === 0) await sleep(POLL_MS)
    const release = proxy.hold()
    t.match(await refused, /does not answer/)
    release()
    await holder.end()
  },
)

t.test('a start says that the server is not there, or that it only reads', async t => {
  t.match(await refusal('postgres://postgres@127.0.0.1:1/none'), /cannot be reached: connect ECONNREFUSED/)
  const { pathname } = new URL(url)
  await (await held(`alter database ${pathname.slice(1)} set default_transaction_read_only = on`)).end()
  t.match(await refusal(url), /can only be read, as a standby/)
})
