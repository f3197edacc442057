import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { promised } from '../helpers/promised.ts'
import { Client, keepBusy } from './client.ts'
import { type Lintel, startLintel } from './lintel.ts'
import { startPostgres } from './postgres.ts'
import { type PostgresProxy, startProxy } from './proxy.ts'
import { faultMs, seeded } from './random.ts'
import { createTenant } from './tenant.ts'
import { Writes } from './writes.ts'

const CLIENTS = 64
const WARM_MS = 1_500
/** A request without an answer is given up after 20 s. */
const ANSWER_BOUND_MS = promised(5_000, 12_000)
const MEMORY_BOUND_MB = 100
const ATTEMPTS_PER_SECOND = 50
const USABLE_BOUND_MS = promised(5_000, 12_000)
const PAUSE_MS = 50

interface Fault {
  name: string
  seconds: number
  /** Starts the fault; returns a function that ends it. */
  begin(): Promise<() => void> | (() => void)
}

interface World {
  client: Client
  lintel: Lintel
  proxy: PostgresProxy
}

t.test('a database that is silent: every request answered in time, no storm, and service after it', async t => {
  const random = seeded(t)
  const postgres = await startPostgres(t)
  const proxy = await startProxy(t, postgres.url)
  const lintel = await startLintel(t, { databaseUrl: proxy.url })
  const { token, projectId } = await createTenant(lintel.base)
  const client = new Client({ base: lintel.base, token, connections: CLIENTS })
  const writes = new Writes(client, projectId, random)

  const stop = keepBusy(CLIENTS, async () => {
    await random.pick([() => writes.any(), () => writes.read()])()
    await sleep(random.below(PAUSE_MS))
  })
  const faults: Fault[] = [
    { name: 'PostgreSQL frozen', seconds: 7, begin: () => postgres.freeze() },
    { name: 'the network gone', seconds: 6, begin: () => proxy.hold() },
    { name: 'connections closed as they open', seconds: 2, begin: () => proxy.refuse() },
  ]
  for (const fault of faults) await endure(t, fault, { client, lintel, proxy })
  await stop()
  client.close()

  t.strictSame(client.unexpected(200, 201, 409, 503), [], 'every answer is 2xx, 409 or 503')
  t.equal(client.withoutRetryAfter, 0, 'every 503 says when to come again')
  await writes.verifyAt(t, postgres.url)
  t.equal(await lintel.end('SIGTERM'), 0, 'the process ends in order')
  t.strictSame(lintel.faults(), [], 'no error in its log')
})

async function endure(t: Test, { name, seconds, begin }: Fault, { client, lintel, proxy }: World): Promise<void> {
  await sleep(WARM_MS)
  client.slowestMs = 0
  const memoryMb = lintel.residentMb()
  const attempts = proxy.connections
  const lastsMs = faultMs(seconds)
  const end = await begin()
  const peakMb = await peakMemory(lintel, lastsMs)
  const perSecond = ((proxy.connections - attempts) * 1000) / lastsMs
  end()
  const usableMs = await client.untilServed()

  t.comment(`${name}: ${client.summary}; usable after ${Math.round(usableMs)} ms; ${perSecond} connections/s`)
  t.comment(`${name}: ${Math.round(memoryMb)} MB before, ${Math.round(peakMb)} MB at most`)
  t.ok(client.slowestMs < ANSWER_BOUND_MS, `${name}: every request is answered in time`, { slowest: client.slowest })
  t.ok(peakMb - memoryMb < MEMORY_BOUND_MB, `${name}: memory does not grow`)
  t.ok(perSecond < ATTEMPTS_PER_SECOND, `${name}: the server is not stormed`)
  t.ok(usableMs < USABLE_BOUND_MS, `${name}: usable soon after it`)
}

async function peakMemory(lintel: Lintel, milliseconds: number): Promise<number> {
  const until = performance.now() + milliseconds
  let peakMb = 0
  while (performance.now() < until) {
    peakMb = Math.max(peakMb, lintel.residentMb())
    await sleep(PAUSE_MS)
  }
  return peakMb
}
