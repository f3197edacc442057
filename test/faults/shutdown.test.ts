import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { promised } from '../helpers/promised.ts'
import { Client, keepBusy, loop } from './client.ts'
import { launchLintel, startLintel } from './lintel.ts'
import { connect, emptyDatabase } from './postgres.ts'
import { seeded } from './random.ts'
import { createTenant } from './tenant.ts'
import { Writes } from './writes.ts'

const CLIENTS = 16
const WARM_MS = 1_000
/** Below 25 s, when a stop that is not complete is forced. */
const EXIT_BOUND_MS = promised(5_000, 20_000)
/** Longer than a client takes to learn that the process is not ready. */
const DRAIN_MS = 600
const CHECK_MS = 50
/** One connection for each client: with fewer, a request on a busy machine could wait longer than the limit of 1 s for one. */
const DATABASE_POOL = String(CLIENTS)
const ROLLS = Number(process.env.FAULT_ROUNDS ?? 3)

t.test('SIGTERM under load: what was taken is finished, no connection breaks, the process ends in time', async t => {
  const random = seeded(t)
  const databaseUrl = await emptyDatabase(t)
  const lintel = await startLintel(t, { databaseUrl, env: { DATABASE_POOL, DRAIN_DELAY_MS: String(DRAIN_MS) } })
  const { token, projectId } = await createTenant(lintel.base)
  const client = new Client({ base: lintel.base, token, connections: CLIENTS })
  const writes = new Writes(client, projectId, random)

  const stop = keepBusy(CLIENTS, () => random.pick([() => writes.any(), () => writes.read()])())
  await sleep(WARM_MS)
  const signalled = performance.now()
  const ending = lintel.end('SIGTERM')
  while (await lintel.ready()) await sleep(CHECK_MS)
  await stop()
  const code = await ending
  const tookMs = performance.now() - signalled
  client.close()

  t.comment(`${client.summary}; ended in ${Math.round(tookMs)} ms`)
  t.equal(code, 0, 'the process ends in order')
  t.ok(tookMs < DRAIN_MS + EXIT_BOUND_MS, 'and in time')
  t.strictSame(client.unexpected(200, 201, 409), [], 'no request fails')
  t.strictSame(lintel.faults(), [], 'no error in its log')
  await writes.verifyAt(t, databaseUrl)
})

t.test('a stop without a delay: clients that leave when they are told to lose nothing', async t => {
  const random = seeded(t)
  const databaseUrl = await emptyDatabase(t)
  const lintel = await startLintel(t, { databaseUrl, env: { DATABASE_POOL } })
  const { token, projectId } = await createTenant(lintel.base)
  const client = new Client({ base: lintel.base, token, connections: CLIENTS })
  const writes = new Writes(client, projectId, random)
  const load = loop(
    CLIENTS,
    () => client.toldToLeave > 0,
    () => writes.create(),
  )
  await sleep(WARM_MS)
  const code = await lintel.end('SIGTERM')
  await load
  client.close()

  t.comment(client.summary)
  t.equal(code, 0, 'the process ends in order')
  t.strictSame(client.unexpected(201), [], 'no request fails and no connection breaks')
  await writes.verifyAt(t, databaseUrl)
  t.equal(await unacknowledged(databaseUrl, writes), 0, 'every write was acknowledged')
})

t.test('rolling restarts: two processes take turns, clients follow readiness, no request fails', async t => {
  const random = seeded(t)
  const databaseUrl = await emptyDatabase(t)
  const env = { DATABASE_POOL, DRAIN_DELAY_MS: String(DRAIN_MS) }
  let serving = await startLintel(t, { databaseUrl, env })
  const { token, projectId } = await createTenant(serving.base)
  const client = new Client({ base: serving.base, token, connections: CLIENTS })
  const writes = new Writes(client, projectId, random)

  const stop = keepBusy(CLIENTS, () =>
    random.pick([() => writes.create(), () => writes.createOnce(), () => writes.read()])(),
  )
  const codes: (number | string)[] = []
  for (let roll = 0; roll < ROLLS; roll++) {
    const next = await launchLintel(t, { databaseUrl, env })
    await next.whenReady()
    const ending = serving.end('SIGTERM')
    while (await serving.ready()) await sleep(CHECK_MS)
    client.base = next.base
    codes.push(await ending)
    serving = next
  }
  await sleep(WARM_MS)
  await stop()
  client.close()

  t.comment(`${ROLLS} restarts: ${client.summary}`)
  t.ok(
    codes.every(code => code === 0),
    'every process ends in order',
  )
  t.strictSame(client.unexpected(200, 201, 409), [], 'no request fails')
  await writes.verifyAt(t, databaseUrl)
})

async function unacknowledged(url: string, writes: Writes): Promise<number> {
  const database = await connect(url)
  const { rows } = await database.query('select count(*)::int as tasks from tasks')
  await database.end()
  return rows[0].tasks - writes.acknowledged
}
