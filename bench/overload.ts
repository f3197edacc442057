import { setTimeout as sleep } from 'node:timers/promises'
import autocannon, { type Client } from 'autocannon'
import { migrate } from '../src/database/migrate.ts'
import { type Lintel, startLintel } from './contestants.ts'
import { type BenchServer, withClient, withServer } from './database.ts'
import { numberOptions } from './options.ts'
import { drawTargets, seed, type Targets } from './seed.ts'
import { residentMb, stopServer } from './servers.ts'
import { quantile } from './statistics.ts'
import { requestsFor } from './works.ts'

// Asks for ten times as many creates as the server can do, for two minutes, and looks at what still gets done, how soon
// the rest is refused, whether health answers, what the memory does, and how soon all is as before.

const DATABASE = 'lintel_bench_overload'
const TASKS = 100_000
const REQUESTS = 4_000
/** Requests that a connection sends in turn. */
const EACH = 16
const PEAK_CONNECTIONS = 32
const PEAK_SECONDS = 10
const LOOK_MS = 250
/** What counts as recovered: so many creates in a row that succeed. */
const IN_A_ROW = 5
/** Not measured: while the connections open, and what is cut off at the end. */
const RAMP_SECONDS = 3
/** Longer than anything may take: the load generator also counts the time in which it waits for its rate. */
const CLIENT_TIMEOUT_SECONDS = 300
/** The bars: share of the peak, time of a refusal (ms), time until all is as before (ms). */
const [MIN_GOODPUT, MAX_REFUSAL_MS, MAX_RECOVERY_MS] = [0.8, 100, 5_000]

const { seconds, times, connections } = numberOptions({ seconds: 120, times: 10, connections: 2_000 })

interface Result {
  goodPerSecond: number
  goodMs: number[]
  refusedMs: number[]
  withoutRetryAfter: number
  /** Answers that are neither a success nor a refusal, errors of connections and timeouts. */
  others: number
}

/** Sends creates; with a rate as many as that in a second, otherwise as fast as they are answered. */
function load(lintel: Lintel, targets: Targets, order: { connections: number; seconds: number; rate?: number }) {
  const requests = requestsFor('create', REQUESTS, { targets, tokens: lintel.tokens(targets) })
  const result: Result = { goodPerSecond: 0, goodMs: [], refusedMs: [], withoutRetryAfter: 0, others: 0 }
  let next = 0
  const options = {
    url: lintel.server.url,
    connections: order.connections,
    duration: order.seconds + 2 * RAMP_SECONDS,
    timeout: CLIENT_TIMEOUT_SECONDS,
    ...(order.rate && { overallRate: order.rate }),
    setupClient(client: Client) {
      client.setRequests(Array.from({ length: EACH }, () => ({ ...requests[next++ % REQUESTS] })))
      client.on('headers', ({ statusCode, headers }: { statusCode: number; headers: string[] }) => {
        if (statusCode === 503 && !headers.some(header => header.toLowerCase() === 'retry-after'))
          result.withoutRetryAfter++
      })
    },
  }
  return new Promise<Result>((resolve, reject) => {
    let measures = false
    const instance = autocannon(options, error => {
      if (error) return reject(error)
      result.goodPerSecond = result.goodMs.length / order.seconds
      for (const times of [result.goodMs, result.refusedMs]) times.sort((a, b) => a - b)
      resolve(result)
    })
    instance.on('response', (_client, status: number, _bytes, milliseconds: number) => {
      if (!measures) return
      if (status === 201) result.goodMs.push(milliseconds)
      else if (status === 503) result.refusedMs.push(milliseconds)
      else result.others++
    })
    instance.on('reqError', () => {
      if (measures) result.others++
    })
    setTimeout(() => {
      measures = true
    }, RAMP_SECONDS * 1_000)
    setTimeout(
      () => {
        measures = false
        instance.stop()
      },
      (RAMP_SECONDS + order.seconds) * 1_000,
    )
  })
}

/** Looks at health and memory until it is stopped. */
function watch({ server }: Lintel) {
  const seen = { health: [] as number[], failed: 0, mostMb: 0 }
  let going = true
  const looking = (async () => {
    while (going) {
      const started = performance.now()
      const answer = await fetch(`${server.url}/health/live`).catch(() => undefined)
      await answer?.body?.cancel()
      if (answer?.status === 200) seen.health.push(performance.now() - started)
      else seen.failed++
      seen.mostMb = Math.max(seen.mostMb, residentMb(server.child.pid) ?? 0)
      await sleep(LOOK_MS)
    }
  })()
  return async () => {
    going = false
    await looking
    seen.health.sort((a, b) => a - b)
    return seen
  }
}

/** Returns how long it takes until creates succeed again and again. */
async function recovery(lintel: Lintel, targets: Targets): Promise<number> {
  const started = performance.now()
  const requests = requestsFor('create', 1_000, { targets, tokens: lintel.tokens(targets) })
  let row = 0
  for (const { path, headers, body } of requests) {
    const answer = await fetch(lintel.server.url + path, { method: 'POST', headers, body: body ?? null })
    await answer.body?.cancel()
    row = answer.status === 201 ? row + 1 : 0
    if (row === IN_A_ROW) return performance.now() - started
  }
  return Number.POSITIVE_INFINITY
}

const ms = (sorted: number[], share: number): string => `${quantile(sorted, share).toFixed(0)} ms`

async function run(lintel: Lintel, targets: Targets): Promise<void> {
  await load(lintel, targets, { connections: PEAK_CONNECTIONS, seconds: PEAK_SECONDS })
  const peak = await load(lintel, targets, { connections: PEAK_CONNECTIONS, seconds: PEAK_SECONDS })
  console.log(`peak: ${Math.round(peak.goodPerSecond)} creates/s, p99 ${ms(peak.goodMs, 0.99)}`)
  const before = residentMb(lintel.server.child.pid) ?? 0
  const unwatch = watch(lintel)
  const over = await load(lintel, targets, { connections, seconds, rate: Math.round(peak.goodPerSecond * times) })
  const recoveryMs = await recovery(lintel, targets)
  const { health, failed, mostMb } = await unwatch()
  const share = over.goodPerSecond / peak.goodPerSecond
  const asked = (over.goodMs.length + over.refusedMs.length + over.others) / seconds
  console.log(
    `asked for ${times} times that by ${connections} connections for ${seconds} s, ${Math.round(asked)}/s came: ` +
      `${Math.round(over.goodPerSecond)} creates/s, ${share.toFixed(2)} of the peak, p99 ${ms(over.goodMs, 0.99)}`,
  )
  console.log(
    `refused ${over.refusedMs.length}: half within ${ms(over.refusedMs, 0.5)}, 99 % within ${ms(over.refusedMs, 0.99)}, ` +
      `${over.withoutRetryAfter} without Retry-After; ${over.others} other answers or errors`,
  )
  console.log(
    `health: ${health.length} answers, half within ${ms(health, 0.5)}, the last within ${ms(health, 1 - 1 / (health.length + 1))}, ` +
      `${failed} failed; memory ${before.toFixed(0)} → at most ${mostMb.toFixed(0)} MB; recovered after ${recoveryMs.toFixed(0)} ms`,
  )
  const after = await load(lintel, targets, { connections: PEAK_CONNECTIONS, seconds: PEAK_SECONDS })
  console.log(`after: ${Math.round(after.goodPerSecond)} creates/s, p99 ${ms(after.goodMs, 0.99)}`)
  const late = over.refusedMs.length > 0 && quantile(over.refusedMs, 0.99) > MAX_REFUSAL_MS
  if (share < MIN_GOODPUT || late || over.withoutRetryAfter || over.others || failed || recoveryMs > MAX_RECOVERY_MS)
    process.exitCode = 1
}

async function main(server: BenchServer): Promise<void> {
  const url = await server.create(DATABASE)
  try {
    await migrate(url)
    const targets = await withClient(url, async client => {
      await seed(client, TASKS)
      return drawTargets(client)
    })
    const lintel = await startLintel(url)
    try {
      await run(lintel, targets)
    } finally {
      await lintel.close()
      await stopServer(lintel.server)
    }
  } finally {
    await server.drop(DATABASE)
  }
}

await withServer(main)
