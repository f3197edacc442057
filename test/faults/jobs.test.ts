import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import t from 'tap'
import { Client, keepBusy } from './client.ts'
import { type Lintel, launchLintel, startLintel } from './lintel.ts'
import { connect, emptyDatabase } from './postgres.ts'
import { type Random, seeded } from './random.ts'
import { createTenant, register } from './tenant.ts'
import { Writes } from './writes.ts'

type Test = Parameters<typeof emptyDatabase>[0]

const ROUNDS = Number(process.env.FAULT_ROUNDS ?? 2)
const LOAD_MS = 700
const WORKERS = 4
/** The number of registrations before each worker starts, and of mails that it sends before it is killed. */
const MAILS = 10
const SHARE = 4
const POLL_MS = 20
const DELIVERED_BOUND_MS = 25_000

t.test('API and worker killed: every registration that was acknowledged gets its mail', async t => {
  const databaseUrl = await emptyDatabase(t)
  const api = await startLintel(t, { databaseUrl, env: { ROLE: 'api' } })
  const addresses: string[] = []
  const mailed: string[] = []
  for (let worker = 1; worker <= WORKERS; worker++) {
    for (let n = 0; n < MAILS; n++) addresses.push(await register(api.base))
    const last = worker === WORKERS
    if (last) await api.end('SIGKILL')
    mailed.push(...(await mailsUntil(t, databaseUrl, last ? addresses.length - mailed.length : SHARE)))
  }
  t.strictSame([...new Set(mailed)].sort(), addresses.sort(), 'every address got a mail')
  t.equal(mailed.length, addresses.length, 'and none got two')
})

/** Starts a worker and kills it when it has sent `enough` mails; returns the mails. */
async function mailsUntil(t: Test, databaseUrl: string, enough: number): Promise<string[]> {
  const worker = await launchLintel(t, { databaseUrl, env: { ROLE: 'worker' } })
  const until = performance.now() + DELIVERED_BOUND_MS
  while (mailsOf(worker).length < enough && performance.now() < until) await sleep(POLL_MS)
  await killBetweenJobs(worker, databaseUrl)
  return mailsOf(worker)
}

t.test('the relay killed between and in the middle of batches: each event has its effect exactly once', async t => {
  const random = seeded(t)
  const databaseUrl = await emptyDatabase(t)
  const api = await startLintel(t, { databaseUrl, env: { ROLE: 'api' } })
  const { token, projectId } = await createTenant(api.base)
  const client = new Client({ base: api.base, token, connections: 2 })
  const writes = new Writes(client, projectId, random)
  const database = await connect(databaseUrl)
  t.teardown(() => database.end())
  await database.query('create table fault_deliveries (id uuid)')
  const subscribe = () =>
    launchLintel(t, {
      databaseUrl,
      env: { ROLE: 'worker' },
      args: ['--import', './src/preload.mjs', 'test/faults/subscriber.ts'],
    })
  let worker = await subscribe()
  while ((await count(database, 'event_cursors')) === 0) await sleep(POLL_MS)

  const stop = keepBusy(2, () => writes.create())
  for (let round = 0; round < ROUNDS; round++) worker = await replace(worker, { database, random, subscribe })
  await stop()
  client.close()
  const events = `(select e.id from events e join event_cursors c on c.subscriber = 'fault' where e.type = 'task.created')`
  const delivered = await waitUntil(
    async () => (await count(database, 'fault_deliveries')) >= (await count(database, events)),
  )
  t.ok(delivered, 'all events arrive')
  const { rows } = await database.query(`
    select e.id, count(d.id)::int as times from events e left join fault_deliveries d on d.id = e.id
    where e.type = 'task.created' group by e.id having count(d.id) <> 1`)
  t.strictSame(rows, [], `each of ${writes.acknowledged} events has its effect once`)
})

interface Relaying {
  database: pg.Client
  random: Random
  subscribe: () => Promise<Lintel>
}

/** Kills the worker while it delivers, and starts the next. */
async function replace(worker: Lintel, { database, random, subscribe }: Relaying): Promise<Lintel> {
  const before = await count(database, 'fault_deliveries')
  await waitUntil(async () => (await count(database, 'fault_deliveries')) > before)
  await sleep(random.below(LOAD_MS))
  await worker.end('SIGKILL')
  return subscribe()
}

async function waitUntil(isTrue: () => Promise<boolean>): Promise<boolean> {
  const until = performance.now() + DELIVERED_BOUND_MS
  while (performance.now() < until) {
    if (await isTrue()) return true
    await sleep(POLL_MS)
  }
  return false
}

async function count(database: pg.Client, what: string): Promise<number> {
  const { rows } = await database.query(`select count(*)::int as n from ${what} counted`)
  return rows[0].n
}

/** Active jobs, and running statements of the stopped worker, which may be fetching a job. */
const IN_HAND = `(select 1 from jobs.job where state = 'active' union all
  select 1 from pg_stat_activity
    where datname = current_database() and application_name <> 'fault-test' and state = 'active')`

/** Kills the worker when it has no job: an active job would be repeated only after it expires, later than this test ends. */
async function killBetweenJobs(worker: Lintel, databaseUrl: string): Promise<void> {
  const database = await connect(databaseUrl)
  await waitUntil(async () => {
    process.kill(worker.pid, 'SIGSTOP')
    await sleep(POLL_MS)
    if ((await count(database, IN_HAND)) === 0) return true
    process.kill(worker.pid, 'SIGCONT')
    return false
  })
  await worker.end('SIGKILL')
  await database.end()
}

function mailsOf({ dataDirectory }: Lintel): string[] {
  const folder = join(dataDirectory, 'mail')
  try {
    const files = readdirSync(folder).filter(name => name.endsWith('.json'))
    return files.map(name => JSON.parse(readFileSync(join(folder, name), 'utf8')).to)
  } catch {
    return []
  }
}
