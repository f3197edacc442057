import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { migrate } from '../src/database/migrate.ts'
import { startLintel } from './contestants.ts'
import { type BenchServer, withClient, withServer } from './database.ts'
import { drawTargets, seed } from './seed.ts'
import { stopServer } from './servers.ts'
import { quantile } from './statistics.ts'
import { Stopwatch } from './timing/client.ts'
import { questions } from './timing/questions.ts'

// Whether a flood of sign-ins, each of which costs a hash, slows down everybody else.

const DATABASE = 'lintel_bench_flood'
const TASKS = 1_000
const READERS = 8
/** Readers that read all the time would compete for the processor whatever the logins cost. */
const PAUSE_MS = 10
const FLOODERS = 64
const WARM_UP_SECONDS = 5
/** p99 during the flood, as a multiple of the one before. */
const MOST = 2

const { values } = parseArgs({ options: { seconds: { type: 'string', default: '15' } } })
const seconds = Number(values.seconds)

/** Runs `turn` again and again, in `many` places, for as long. */
async function repeat(many: number, forSeconds: number, turn: () => Promise<void>): Promise<void> {
  const end = performance.now() + forSeconds * 1_000
  const loop = async () => {
    while (performance.now() < end) await turn()
  }
  await Promise.all(Array.from({ length: many }, loop))
}

async function measureReads(forSeconds: number, url: string, authorization: string): Promise<number[]> {
  const times: number[] = []
  await repeat(READERS, forSeconds, async () => {
    const begun = performance.now()
    const answer = await fetch(url, { headers: { authorization } })
    await answer.arrayBuffer()
    if (answer.status !== 200) throw new Error(`a read was answered ${answer.status}`)
    times.push(performance.now() - begun)
    await sleep(PAUSE_MS)
  })
  return times.sort((a, b) => a - b)
}

async function flood(base: string, statuses: Map<number, number>): Promise<void> {
  const [login] = questions.filter(({ name }) => name === 'login')
  if (!login) throw new Error('no question is called login')
  let turns = 0
  const stopwatch = new Stopwatch(base, FLOODERS)
  await repeat(FLOODERS, seconds, async () => {
    const { status } = await stopwatch.ask(login, `nobody-${turns++}@example.com`)
    statuses.set(status, (statuses.get(status) ?? 0) + 1)
  })
  stopwatch.close()
}

async function main(server: BenchServer): Promise<void> {
  const url = await server.create(DATABASE)
  await migrate(url)
  const targets = await withClient(url, async client => {
    await seed(client, TASKS)
    return drawTargets(client)
  })
  const lintel = await startLintel(url, { TRUST_PROXY: '127.0.0.1/32' })
  const [task] = targets.tasks
  const read = `${lintel.server.url}/api/v1/tasks/${task?.id}`
  const authorization = `Bearer ${lintel.tokens(targets).get(task?.userId ?? '')}`
  try {
    await measureReads(WARM_UP_SECONDS, read, authorization)
    const before = await measureReads(seconds, read, authorization)
    const statuses = new Map<number, number>()
    const [during] = await Promise.all([measureReads(seconds, read, authorization), flood(lintel.server.url, statuses)])
    const [p99Before, p99During] = [quantile(before, 0.99), quantile(during, 0.99)]
    console.log('logins by status', Object.fromEntries(statuses))
    console.log(`reads: p50 ${quantile(before, 0.5).toFixed(2)} → ${quantile(during, 0.5).toFixed(2)} ms`)
    console.log(
      `reads: p99 ${p99Before.toFixed(2)} → ${p99During.toFixed(2)} ms, × ${(p99During / p99Before).toFixed(2)}`,
    )
    process.exitCode = p99During < MOST * p99Before ? 0 : 1
  } finally {
    await lintel.close()
    await stopServer(lintel.server)
    await server.drop(DATABASE)
  }
}

await withServer(main)
