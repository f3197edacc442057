import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { migrate } from '../src/database/migrate.ts'
import { startLintel } from './contestants.ts'
import { type BenchServer, withClient, withServer } from './database.ts'
import { type Measured, measure, startLoad } from './measure.ts'
import { numberOptions } from './options.ts'
import { drawTargets, seed } from './seed.ts'
import { stopServer } from './servers.ts'
import { median } from './statistics.ts'
import { Stopwatch } from './timing/client.ts'
import { type Question, questions } from './timing/questions.ts'
import { requestsFor } from './works.ts'

// Measures whether a flood of sign-ins, each of which costs a hash, slows down other requests: reads with and without
// it, in turns.

const DATABASE = 'lintel_bench_flood'
const TASKS = 1_000
const READERS = 32
const FLOODERS = 64
const WARM_UP_SECONDS = 10
/** How long the flood needs to fill the queue, and at the end until the last sign-in has been answered. */
const TURN_MS = 2_000
/** The highest allowed p99 during the flood, as a multiple of that without. */
const MOST = 2

const { rounds, seconds } = numberOptions({ rounds: 7, seconds: 2 })

const login = questions.find(({ name }) => name === 'login') as Question

class Flood {
  readonly statuses = new Map<number, number>()
  readonly #stopwatch: Stopwatch
  #turns = 0
  #going = false

  constructor(base: string) {
    this.#stopwatch = new Stopwatch(base, FLOODERS)
  }

  async begin(): Promise<void> {
    this.#going = true
    for (let at = 0; at < FLOODERS; at++) void this.#signInAgainAndAgain()
    await sleep(TURN_MS)
  }

  async end(): Promise<void> {
    this.#going = false
    await sleep(TURN_MS)
  }

  close(): void {
    this.#stopwatch.close()
  }

  async #signInAgainAndAgain(): Promise<void> {
    while (this.#going) {
      const { status } = await this.#stopwatch.ask(login, `nobody-${this.#turns++}@example.com`)
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
    }
  }
}

/** Measures reads in turns, without the flood and during it. */
async function compare(flood: Flood, read: (forSeconds: number) => Promise<Measured>) {
  const samples = { without: [] as Measured[], during: [] as Measured[] }
  await read(WARM_UP_SECONDS)
  for (let round = 1; round <= rounds; round++) {
    const without = await read(seconds)
    await flood.begin()
    const during = await read(seconds)
    await flood.end()
    samples.without.push(without)
    samples.during.push(during)
    console.log(`round ${round} of ${rounds}: p99 ${without.p99Ms.toFixed(1)} → ${during.p99Ms.toFixed(1)} ms`)
  }
  return samples
}

/** Prints the medians; returns false when a read failed or p99 rises too much during the flood. */
function report({ without, during }: Awaited<ReturnType<typeof compare>>): boolean {
  const medians = (what: 'requestsPerSecond' | 'p50Ms' | 'p99Ms') =>
    [without, during].map(samples => median(samples.map(sample => sample[what]))) as [number, number]
  const arrow = (pair: [number, number], digits: number) => pair.map(value => value.toFixed(digits)).join(' → ')
  const p99 = medians('p99Ms')
  const ratio = p99[1] / p99[0]
  const failed = [...without, ...during].reduce((sum, sample) => sum + sample.failed, 0)
  console.log(`reads: ${arrow(medians('requestsPerSecond'), 0)} a second, ${failed} failed`)
  console.log(`reads: p50 ${arrow(medians('p50Ms'), 2)} ms`)
  console.log(`reads: p99 ${arrow(p99, 2)} ms, × ${ratio.toFixed(2)}`)
  return failed === 0 && ratio < MOST
}

async function main(server: BenchServer): Promise<void> {
  const url = await server.create(DATABASE)
  try {
    await migrate(url)
    await withClient(url, client => measureFlood(url, client))
  } finally {
    await server.drop(DATABASE)
  }
}

async function measureFlood(url: string, client: pg.Client): Promise<void> {
  await seed(client, TASKS)
  const targets = await drawTargets(client)
  const lintel = await startLintel(url, { TRUST_PROXY: '127.0.0.1/32' })
  const requests = requestsFor('read', TASKS, { targets, tokens: lintel.tokens(targets) })
  const flood = new Flood(lintel.server.url)
  const load = startLoad()
  try {
    const read = (forSeconds: number) =>
      measure(load, lintel.server, { connections: READERS, seconds: forSeconds, requests }, client)
    const samples = await compare(flood, read)
    console.log('logins by status', Object.fromEntries(flood.statuses))
    process.exitCode = report(samples) ? 0 : 1
  } finally {
    flood.close()
    load.kill()
    await lintel.close()
    await stopServer(lintel.server)
  }
}

await withServer(main)
