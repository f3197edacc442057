import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { Client, loop } from './client.ts'
import { startLintel } from './lintel.ts'
import { connect, startPostgres } from './postgres.ts'
import { startProxy } from './proxy.ts'
import { faultMs, seeded } from './random.ts'
import { createTenant } from './tenant.ts'
import { Writes } from './writes.ts'

const CLIENTS = 64
const SECONDS = 8
const WARM_MS = 1_500
const ANSWER_BOUND_MS = 5_000
const MEMORY_BOUND_MB = 100
const ATTEMPTS_PER_SECOND = 50
const USABLE_BOUND_MS = 5_000
const PAUSE_MS = 50

t.test('PostgreSQL frozen under load: every request answered within 5 s, and the server is not stormed', async t => {
  const random = seeded(t)
  const postgres = await startPostgres(t)
  const proxy = await startProxy(t, postgres.url)
  const lintel = await startLintel(t, { databaseUrl: proxy.url })
  const { token, projectId } = await createTenant(lintel.base)
  const client = new Client({ base: lintel.base, token, connections: CLIENTS })
  const writes = new Writes(client, projectId, random)

  let over = false
  const load = loop(
    CLIENTS,
    () => over,
    async () => {
      await random.pick([() => writes.any(), () => writes.read()])()
      await sleep(random.below(PAUSE_MS))
    },
  )
  await sleep(WARM_MS)
  const memoryMb = lintel.residentMb()
  const attempts = proxy.connections
  const frozenMs = faultMs(SECONDS)
  const thaw = await postgres.freeze()
  const frozenAt = performance.now()
  let peakMb = memoryMb
  while (performance.now() - frozenAt < frozenMs) {
    await sleep(PAUSE_MS)
    peakMb = Math.max(peakMb, lintel.residentMb())
  }
  const perSecond = ((proxy.connections - attempts) * 1000) / frozenMs
  const before = { ...Object.fromEntries(client.outcomes) }
  thaw()
  const thawedAt = performance.now()
  const recovered = () => ['200', '201'].every(status => (client.outcomes.get(status) ?? 0) > (before[status] ?? 0))
  while (!recovered() && performance.now() - thawedAt < 2 * USABLE_BOUND_MS) await sleep(5)
  const usableMs = performance.now() - thawedAt
  await sleep(WARM_MS)
  over = true
  await load
  client.close()

  t.comment(`${client.summary}; usable after ${Math.round(usableMs)} ms; ${perSecond} connections/s`)
  t.comment(`${Math.round(memoryMb)} MB before, ${Math.round(peakMb)} MB at most`)
  t.strictSame(client.unexpected(200, 201, 409, 503), [], 'every answer is 2xx, 409 or 503')
  t.equal(client.withoutRetryAfter, 0, 'every 503 says when to come again')
  t.ok(client.slowestMs < ANSWER_BOUND_MS, 'every request is answered within 5 s')
  t.ok(peakMb - memoryMb < MEMORY_BOUND_MB, 'memory does not grow')
  t.ok(perSecond < ATTEMPTS_PER_SECOND, 'the server is not stormed')
  t.ok(usableMs < USABLE_BOUND_MS, 'usable within 5 s')
  const database = await connect(postgres.url)
  await writes.verify(t, database).finally(() => database.end())
  t.equal(await lintel.end('SIGTERM'), 0, 'the process ends in order')
  t.strictSame(lintel.faults(), [], 'no error in its log')
})
