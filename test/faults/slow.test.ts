import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { promised } from '../helpers/promised.ts'
import { type Lintel, startLintel } from './lintel.ts'
import { connect as connectTo, emptyDatabase } from './postgres.ts'
import { createTenant } from './tenant.ts'

const IDLE_SOCKETS = 1_000
const OPENED_AT_ONCE = 100
/** With idle sockets a request may take up to 5 times as long as without; up to `ANSWER_BOUND_MS` is always accepted. */
const SLOWER = 5
const ANSWER_BOUND_MS = 500
const PROBES = 20
/** Far below Node's default of 5 minutes. */
const CLOSED_BOUND_MS = promised(15_000, 45_000)
/** A stopping process closes connections that are still open after 10 s. */
const STOP_BOUND_MS = 10_000
const SILENT = 10
const DRIP_MS = 500
const STREAMS = 4
/** 25 MB for each client, far more than the buffers of a socket. */
const EVENTS = { count: 5_000, bytes: 5_000 }
const GROWTH_MB = 80

/** Each slow client takes until the server's time limit, so all of them run at the same time. */
t.test('slow clients get 408 and are closed; idle ones slow nobody down', async t => {
  const lintel = await startLintel(t, { databaseUrl: await emptyDatabase(t) })
  const post =
    'POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n'
  const head = drips(t, lintel.port, { start: 'GET /health/live HTTP/1.1\r\nHost: x\r\n', drip: 'X-Drip: 1\r\n' })
  const body = drips(t, lintel.port, { start: post, drip: ' ' })
  const halfSaid = stopMeetsHalfARequest(t)
  const unread = streamsThatNobodyReads(t)

  const aloneMs = await slowestOf(t, lintel)
  for (let opened = 0; opened < IDLE_SOCKETS; opened += OPENED_AT_ONCE)
    await Promise.all(Array.from({ length: OPENED_AT_ONCE }, () => openSocket(t, lintel.port)))
  const slowestMs = await slowestOf(t, lintel)
  t.comment(`slowest of ${PROBES}: ${Math.round(slowestMs)} ms, ${Math.round(lintel.residentMb())} MB`)
  t.ok(slowestMs < Math.max(ANSWER_BOUND_MS, SLOWER * aloneMs), `${IDLE_SOCKETS} idle sockets slow nobody down`)

  for (const [name, slow] of Object.entries({ head: await head, body: await body })) {
    t.ok(slow.tookMs < CLOSED_BOUND_MS, `a ${name} that drips in is closed after ${Math.round(slow.tookMs)} ms`)
    t.match(
      slow.received,
      /^HTTP\/1\.1 408 [\s\S]*\r\ncontent-type: application\/problem\+json/i,
      'with 408 and a problem',
    )
  }
  await stopsAtOnce(t, lintel)
  t.strictSame(lintel.faults(), [], 'no error in its log')
  await halfSaid
  await unread
})

t.test('clients that have said nothing yet do not hold up a stop', async t => {
  const lintel = await startLintel(t, { databaseUrl: await emptyDatabase(t) })
  for (let n = 0; n < SILENT; n++) await openSocket(t, lintel.port)
  await stopsAtOnce(t, lintel)
})

async function slowestOf(t: Test, lintel: Lintel): Promise<number> {
  let slowestMs = 0
  for (let n = 0; n < PROBES; n++) {
    const started = performance.now()
    if (!(await lintel.ready())) t.fail('not ready')
    slowestMs = Math.max(slowestMs, performance.now() - started)
  }
  return slowestMs
}

async function stopsAtOnce(t: Test, lintel: { end(signal: 'SIGTERM'): Promise<number | string> }): Promise<void> {
  const started = performance.now()
  t.equal(await lintel.end('SIGTERM'), 0, 'the process ends in order')
  t.ok(performance.now() - started < STOP_BOUND_MS, 'at once')
}

async function stopMeetsHalfARequest(t: Test): Promise<void> {
  const lintel = await startLintel(t, { databaseUrl: await emptyDatabase(t) })
  const socket = await openSocket(t, lintel.port)
  socket.write('GET /health/live HTTP/1.1\r\n')
  await sleep(DRIP_MS)
  const started = performance.now()
  t.equal(await lintel.end('SIGTERM'), 0, 'a process with half a request in hand ends in order')
  t.ok(performance.now() - started < CLOSED_BOUND_MS, 'in time')
}

async function streamsThatNobodyReads(t: Test): Promise<void> {
  const databaseUrl = await emptyDatabase(t)
  const lintel = await startLintel(t, { databaseUrl })
  const tenants = await Promise.all(Array.from({ length: STREAMS }, () => createTenant(lintel.base)))
  for (const { token, organizationId } of tenants) {
    const socket = await openSocket(t, lintel.port)
    socket
      .pause()
      .write(
        `GET /api/v1/organizations/${organizationId}/events/stream HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      )
  }
  while ((await streamsOpen(lintel)) < STREAMS) await sleep(DRIP_MS)
  const before = lintel.residentMb()
  await writeEvents(
    databaseUrl,
    tenants.map(({ organizationId }) => organizationId),
  )
  const started = performance.now()
  let most = before
  while ((await streamsOpen(lintel)) > 0 && performance.now() - started < 2 * CLOSED_BOUND_MS) {
    most = Math.max(most, lintel.residentMb())
    await sleep(DRIP_MS)
  }
  const tookMs = performance.now() - started
  t.ok(tookMs < CLOSED_BOUND_MS, `streams that nobody reads are closed after ${Math.round(tookMs)} ms`)
  t.ok(most - before < GROWTH_MB, `and cost ${Math.round(most - before)} MB`)
  t.strictSame(lintel.faults(), [], 'no error in its log')
}

async function streamsOpen({ base }: Lintel): Promise<number> {
  const metrics = await (await fetch(`${base}/metrics`)).text()
  return Number(/^event_streams_open (\d+)/m.exec(metrics)?.[1])
}

async function writeEvents(url: string, organizationIds: string[]): Promise<void> {
  const database = await connectTo(url)
  await database.query(
    `insert into events (id, type, organization_id, actor_type, target_type, target_id, data)
      select gen_random_uuid(), 'task.created', id, 'system', 'task', id, jsonb_build_object('text', repeat('x', $2))
      from unnest($1::uuid[]) id, generate_series(1, $3)`,
    [organizationIds, EVENTS.bytes, EVENTS.count],
  )
  await database.end()
}

async function openSocket(t: Test, port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1')
  socket.on('error', () => {})
  t.teardown(() => socket.destroy())
  await once(socket, 'connect')
  return socket
}

/** Sends a request in small parts until the server closes the connection. */
async function drips(t: Test, port: number, { start, drip }: { start: string; drip: string }) {
  const socket = await openSocket(t, port)
  const started = performance.now()
  let received = ''
  socket.on('data', chunk => {
    received += chunk
  })
  socket.write(start)
  while (!socket.closed && performance.now() - started < 2 * CLOSED_BOUND_MS) {
    await sleep(DRIP_MS)
    if (socket.writable && received === '') socket.write(drip)
  }
  return { received, tookMs: performance.now() - started }
}
