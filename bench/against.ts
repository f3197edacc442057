import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import type pg from 'pg'
import { type Lintel, startLintel } from './contestants.ts'
import { type BenchServer, withClient, withServer } from './database.ts'
import { type Measured, measure, startLoad } from './measure.ts'
import { drawTargets, seed, type Targets } from './seed.ts'
import { freePort, type Server, startServer, stopServer } from './servers.ts'
import { median } from './statistics.ts'
import { requestsFor, type Work, works } from './works.ts'

// `npm run bench:against -- ../before`: measures the cost of a change by running another checkout of Lintel beside this
// one.
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: works.join() },
    connections: { type: 'string', default: '32' },
    rounds: { type: 'string', default: '9' },
    seconds: { type: 'string', default: '2' },
    tasks: { type: 'string', default: '100000' },
  },
})
const [folder] = positionals
if (folder === undefined) {
  console.error('Say which checkout to compare with: npm run bench:against -- ../before.')
  process.exit(1)
}

const REQUESTS = 4_000
const WARM_UP_SECONDS = 8
const MICROS = ['cpuMicros', 'databaseMicros'] as const

interface Side {
  name: string
  server: Server
  client: pg.Client
}

/** Starts the other checkout as its `npm start` does, on its own database, which its first start migrates. */
async function startOther(url: string, environment: Record<string, string>): Promise<Server> {
  const { scripts } = JSON.parse(readFileSync(join(folder as string, 'package.json'), 'utf8'))
  const [, ...args] = scripts.start.split(' ')
  const port = await freePort()
  return startServer('before', args, port, { ...environment, DATABASE_URL: url }, resolve(folder as string))
}

/** Measures both in turns, so that other load on the machine affects both; the ratio is the median of the rounds. */
async function compare(sides: [Side, Side], work: Work, ask: () => { targets: Targets; tokens: Map<string, string> }) {
  const load = startLoad()
  const run = ({ server, client }: Side, seconds: number) =>
    measure(
      load,
      server,
      { connections: Number(values.connections), seconds, requests: requestsFor(work, REQUESTS, ask()) },
      client,
    )
  try {
    for (const side of sides) await run(side, WARM_UP_SECONDS)
    const rounds: Record<string, Measured>[] = []
    for (let round = 0; round < Number(values.rounds); round++) {
      const measured: Record<string, Measured> = {}
      for (const side of round % 2 ? sides : sides.toReversed())
        measured[side.name] = await run(side, Number(values.seconds))
      rounds.push(measured)
    }
    return rounds as Record<'before' | 'now', Measured>[]
  } finally {
    load.kill()
  }
}

function row(work: Work, rounds: Record<'before' | 'now', Measured>[]) {
  const of = (name: 'before' | 'now', metric: keyof Measured) => median(rounds.map(round => round[name][metric]))
  const ratio = (metric: keyof Measured) => median(rounds.map(({ before, now }) => now[metric] / before[metric]))
  const micros = (metric: keyof Measured) => `${of('before', metric).toFixed(1)} → ${of('now', metric).toFixed(1)}`
  return {
    work,
    'requests/s': `${Math.round(of('before', 'requestsPerSecond'))} → ${Math.round(of('now', 'requestsPerSecond'))}`,
    ratio: ratio('requestsPerSecond').toFixed(3),
    'CPU µs': micros('cpuMicros'),
    'CPU ratio': ratio('cpuMicros').toFixed(3),
    'database µs': micros('databaseMicros'),
    'both µs, ratio': median(rounds.map(({ before, now }) => sum(now) / sum(before))).toFixed(3),
    failed: rounds.reduce((total, { before, now }) => total + before.failed + now.failed, 0),
  }
}

const sum = (measured: Measured): number => MICROS.reduce((total, metric) => total + measured[metric], 0)

async function main(bench: BenchServer): Promise<void> {
  const [beforeUrl, nowUrl] = [await bench.create('lintel_bench_before'), await bench.create('lintel_bench')]
  const lintel: Lintel = await startLintel(nowUrl)
  const before = await startOther(beforeUrl, lintel.environment)
  try {
    await withClient(beforeUrl, beforeClient =>
      withClient(nowUrl, async nowClient => {
        for (const client of [beforeClient, nowClient]) await seed(client, Number(values.tasks))
        const targets = await drawTargets(nowClient)
        const ask = () => ({ targets, tokens: lintel.tokens(targets) })
        const sides: [Side, Side] = [
          { name: 'before', server: before, client: beforeClient },
          { name: 'now', server: lintel.server, client: nowClient },
        ]
        const rows: ReturnType<typeof row>[] = []
        for (const work of values.only.split(',') as Work[]) rows.push(row(work, await compare(sides, work, ask)))
        console.table(rows)
      }),
    )
  } finally {
    await lintel.close()
    await Promise.all([before, lintel.server].map(stopServer))
    for (const name of ['lintel_bench_before', 'lintel_bench']) await bench.drop(name)
  }
}

await withServer(main)
