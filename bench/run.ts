import type { ChildProcess } from 'node:child_process'
import type pg from 'pg'
import { migrate } from '../src/database/migrate.ts'
import { type Lintel, startFloor, startLintel } from './contestants.ts'
import { type BenchServer, serverVersion, withClient, withServer } from './database.ts'
import { measure, type Sample, startLoad } from './measure.ts'
import { type Options, readOptions } from './options.ts'
import { printSummary, writeReport } from './report.ts'
import { checkSameness } from './sameness.ts'
import { drawTargets, seed, type Targets } from './seed.ts'
import { type Server, stopServer } from './servers.ts'
import { summarize } from './summary.ts'
import { requestsFor, type Work } from './works.ts'

const DATABASE = 'lintel_bench'
const REQUESTS = 4_000
/** Long enough for V8's compilers: a full server takes longer for that than a bare one. */
const WARM_UP = { seconds: 8, connections: 32 }

interface Bench {
  options: Options
  /** In the order of the first round. */
  servers: Server[]
  lintel: Lintel | undefined
  load: ChildProcess
  targets: Targets
  client: pg.Client
}

async function prepare(server: BenchServer, { keep, tasks }: Options): Promise<string> {
  const kept = keep && (await server.has(DATABASE))
  const url = kept ? server.urlOf(DATABASE) : await server.create(DATABASE)
  // The floor writes events too, and the database server may have been restarted since.
  await migrate(url)
  if (kept) return url
  console.log(`seeding ${tasks.toLocaleString('en')} tasks …`)
  await withClient(url, client => seed(client, tasks))
  return url
}

/**
 * Returns new tokens for each measurement, since they live 15 minutes. The floor gets them too, so that requests have
 * the same size.
 */
const ask = ({ targets, lintel }: Bench) => ({ targets, tokens: lintel?.tokens(targets) ?? new Map() })

function run(bench: Bench, server: Server, work: Work, connections: number, seconds: number) {
  const order = { connections, seconds, requests: requestsFor(work, REQUESTS, ask(bench)) }
  return measure(bench.load, server, order, bench.client)
}

async function measureWork(bench: Bench, work: Work): Promise<Sample[]> {
  const { options, servers } = bench
  const samples: Sample[] = []
  for (const server of servers) await run(bench, server, work, WARM_UP.connections, WARM_UP.seconds)
  for (const connections of options.connections)
    for (let round = 1; round <= options.rounds; round++) {
      // The order alternates, so that neither server always runs on the state that the other left.
      for (const server of round % 2 ? servers : servers.toReversed()) {
        const measured = await run(bench, server, work, connections, options.seconds)
        samples.push({ server: server.name, work, connections, round, ...measured })
        console.log(progressLine(samples.at(-1) as Sample, options.rounds))
      }
    }
  return samples
}

const progressLine = (sample: Sample, rounds: number): string =>
  [
    sample.work.padEnd(12),
    `${sample.connections}`.padStart(3),
    `round ${sample.round}/${rounds}`,
    sample.server.padEnd(6),
    `${Math.round(sample.requestsPerSecond).toLocaleString('en')}/s`.padStart(9),
    `p99 ${sample.p99Ms.toFixed(1)} ms`,
    `CPU ${sample.cpuMicros.toFixed(0)} µs`,
    sample.failed ? `${sample.failed} FAILED` : '',
  ].join('  ')

async function main(server: BenchServer): Promise<void> {
  const options = readOptions()
  const url = await prepare(server, options)
  const floor = await startFloor(url)
  const lintel = options.floorOnly ? undefined : await startLintel(url)
  const servers = lintel ? [floor, lintel.server] : [floor]
  const load = startLoad()
  try {
    await withClient(url, async client => {
      const bench: Bench = { options, servers, lintel, load, client, targets: await drawTargets(client) }
      if (lintel) await checkSameness(floor, lintel.server, ask(bench))
      const samples: Sample[] = []
      for (const work of options.works) samples.push(...(await measureWork(bench, work)))
      const summary = summarize(samples)
      printSummary(summary)
      const context = { postgresql: await serverVersion(url), node: process.version, ...options }
      await writeReport(options.out, { context, summary, samples })
      process.exitCode = summary.every(({ failed }) => failed === 0) ? 0 : 1
    })
  } finally {
    load.kill()
    await lintel?.close()
    await Promise.all(servers.map(stopServer))
    if (!options.keep) await server.drop(DATABASE)
  }
}

await withServer(main)
