import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { migrate } from '../src/database/migrate.ts'
import { startLintel } from './contestants.ts'
import { type BenchServer, withClient, withServer } from './database.ts'
import { type Measured, measure, startLoad } from './measure.ts'
import { drawTargets, seed } from './seed.ts'
import { stopServer } from './servers.ts'
import { median } from './statistics.ts'
import { Stopwatch } from './timing/client.ts'
import { questions } from './timing/questions.ts'
import { requestsFor } from './works.ts'

// Whether a flood of sign-ins, each of which costs a hash, slows down everybody else: reads with and without it, in turns.

const DATABASE = 'lintel_bench_flood'
const TASKS = 1_000
const READERS = 32
const FLOODERS = 64
const WARM_UP_SECONDS = 10
/** Until the flood has filled the queue, and until the last of it has been answered. */
const TURN_MS = 2_000
/** p99 during the flood, as a multiple of the one without. */
const MOST = 2

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '7' }, seconds: { type: 'string', default: '2' } },
})
const rounds = Number(values.rounds)
const seconds = Number(values.seconds)

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
    const [login] = questions.filter(({ name }) => name === 'login')
    if (!login) throw new Error('no question is called login')
    while (this.#going) {
      const { status } = await this.#stopwatch.ask(login, `nobody-${this.#turns++}@example.com`)
      this.statuses.set(status, (this.statuses.get(status) ?? 0) + 1)
    }
  }
}

/** Rounds of reads without the flood, then with it; false where the flood makes too much of a difference. */
async function compare(flood: Flood, read: (forSeconds: number) => Promise<Measured>): Promise<boolean> {
  await read(WARM_UP_SECONDS)
  const [without, during]: [Measured[], Measured[]] = [[], []]
  for (let round = 1; round <= rounds; round++) {
    without.push(await read(seconds))
    await flood.begin()
    during.push(await read(seconds))
    await flood.end()
    console.log(
      `round ${round} of ${rounds}: p99 ${without.at(-1)?.p99Ms.toFixed(1)} → ${during.at(-1)?.p99Ms.toFixed(1)} ms`,
    )
  }
  const of = (samples: Measured[], what: 'p50Ms' | 'p99Ms' | 'requestsPerSecond') =>
    median(samples.map(sample => sample[what]))
  const [p99Without, p99During] = [of(without, 'p99Ms'), of(during, 'p99Ms')]
  const perSecond = (samples: Measured[]) => Math.round(of(samples, 'requestsPerSecond'))
  console.log('logins by status', Object.fromEntries(flood.statuses))
  console.log(`reads: ${perSecond(without)} → ${perSecond(during)} a second`)
  console.log(`reads: p50 ${of(without, 'p50Ms').toFixed(2)} → ${of(during, 'p50Ms').toFixed(2)} ms`)
  console.log(
    `reads: p99 ${p99Without.toFixed(2)} → ${p99During.toFixed(2)} ms, × ${(p99During / p99Without).toFixed(2)}`,
  )
  const failed = [...without, ...during].reduce((sum, sample) => sum + sample.failed, 0)
  if (failed > 0) console.log(`reads: ${failed} failed`)
  return failed === 0 && p99During < MOST * p99Without
}

async function main(server: BenchServer): Promise<void> {
  const url = await server.create(DATABASE)
  await migrate(url)
  await withClient(url, async client => {
    await seed(client, TASKS)
    const targets = await drawTargets(client)
    const lintel = await startLintel(url, { TRUST_PROXY: '127.0.0.1/32' })
    const requests = requestsFor('read', TASKS, { targets, tokens: lintel.tokens(targets) })
    const flood = new Flood(lintel.server.url)
    const load = startLoad()
    try {
      const read = (forSeconds: number) =>
        measure(load, lintel.server, { connections: READERS, seconds: forSeconds, requests }, client)
      process.exitCode = (await compare(flood, read)) ? 0 : 1
    } finally {
      flood.close()
      load.kill()
      await lintel.close()
      await stopServer(lintel.server)
    }
  })
  await server.drop(DATABASE)
}

await withServer(main)
