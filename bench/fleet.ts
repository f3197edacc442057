import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { Test } from 'tap'
import { migrate } from '../src/database/migrate.ts'
import { Cluster, withoutClusters } from '../test/faults/cluster.ts'
import { balance, withoutBalancer } from '../test/faults/fleet.ts'
import { RedisServer, withoutRedis } from '../test/helpers/redis.ts'
import { type Lintel, startLintel } from './contestants.ts'
import { withClient } from './database.ts'
import { type Measured, measure, startLoad } from './measure.ts'
import { drawTargets, seed, type Targets } from './seed.ts'
import { freePort, type Server, startServer, stopServer, treeMicros } from './servers.ts'
import { requestsFor, type Work } from './works.ts'

// Plays nodes behind HAProxy (`deploy/haproxy.cfg`), with and without a replica and Redis. Needs Debian's `haproxy`,
// `redis-server` and `postgresql`. On one machine all parts share its cores: what a part costs is its CPU time.

const DATABASE = 'lintel_bench_fleet'
const WORKS: Work[] = ['read', 'list', 'create']
const REQUESTS = 4_000
/** Until HAProxy has seen its nodes, and a node its replica. */
const SETTLE_MS = 3_000
/** The load runs a little before and after the time that is measured. */
const RAMPS_SECONDS = 0.8

const { values } = parseArgs({
  options: {
    tasks: { type: 'string', default: '100000' },
    nodes: { type: 'string', default: '1,2,3' },
    replicas: { type: 'string', default: '0,1' },
    redis: { type: 'string', default: 'off,on' },
    connections: { type: 'string', default: '40' },
    seconds: { type: 'string', default: '4' },
  },
})
const [connections, seconds] = [Number(values.connections), Number(values.seconds)]

interface Setup {
  nodes: number
  replicas: number
  redis: 'off' | 'on'
}
interface Databases {
  primary: Cluster
  replica: Cluster
  redisUrl: string
  targets: Targets
}
interface Row extends Setup {
  work: Work
  'requests/s': number
  'p99 ms': number
  failed: number
  'primary µs': number
  'replica µs': number
}

async function startNodes(setup: Setup, { primary, replica, redisUrl }: Databases): Promise<[Lintel, ...Server[]]> {
  const lintel = await startLintel(primary.urlOf(DATABASE), {
    TRUST_PROXY: '127.0.0.1/32',
    DATABASE_REPLICA_URLS: setup.replicas ? replica.urlOf(DATABASE) : '',
    REDIS_URL: setup.redis === 'on' ? redisUrl : '',
  })
  const others: Server[] = []
  for (let node = 2; node <= setup.nodes; node++)
    others.push(await startServer(`lintel-${node}`, ['bin/lintel.mjs'], await freePort(), lintel.environment))
  return [lintel, ...others]
}

async function play(t: Test, setup: Setup, databases: Databases): Promise<Row[]> {
  const { primary, replica, targets } = databases
  const [lintel, ...others] = await startNodes(setup, databases)
  const ports = [lintel.server, ...others].map(({ url }) => Number(new URL(url).port))
  const balanced = { ...lintel.server, url: await balance(t, ports) }
  await sleep(SETTLE_MS)
  const load = startLoad()
  const rows: Row[] = []
  try {
    await withClient(primary.urlOf(DATABASE), async client => {
      const one = (work: Work): Promise<Measured> => {
        const requests = requestsFor(work, REQUESTS, { targets, tokens: lintel.tokens(targets) })
        return measure(load, balanced, { connections, seconds, requests }, client)
      }
      await one('read')
      for (const work of WORKS) {
        const before = [treeMicros(primary.pid), treeMicros(replica.pid)] as const
        const { requestsPerSecond, p99Ms, failed } = await one(work)
        const count = requestsPerSecond * (seconds + RAMPS_SECONDS)
        const costs = (at: 0 | 1, { pid }: Cluster) => Math.round((treeMicros(pid) - before[at]) / count)
        rows.push({
          ...setup,
          work,
          'requests/s': Math.round(requestsPerSecond),
          'p99 ms': Math.round(p99Ms * 10) / 10,
          failed,
          'primary µs': costs(0, primary),
          'replica µs': costs(1, replica),
        })
      }
    })
  } finally {
    load.kill()
    await lintel.close()
    await Promise.all([lintel.server, ...others].map(stopServer))
  }
  return rows
}

async function main(undo: (() => unknown)[]): Promise<void> {
  const t = { teardown: (done: () => unknown) => void undo.unshift(done) } as unknown as Test
  const primary = await Cluster.create(t, { files: { 'postgresql.auto.conf': 'max_connections = 300\n' } })
  await primary.createDatabase(DATABASE)
  await migrate(primary.urlOf(DATABASE))
  const targets = await withClient(primary.urlOf(DATABASE), async client => {
    await seed(client, Number(values.tasks))
    return drawTargets(client)
  })
  const replica = await primary.standby(t)
  const { url: redisUrl } = await RedisServer.start(t)
  const databases = { primary, replica, targets, redisUrl }
  const rows: Row[] = []
  for (const redis of values.redis.split(',') as Setup['redis'][])
    for (const replicas of values.replicas.split(',').map(Number))
      for (const nodes of values.nodes.split(',').map(Number))
        rows.push(...(await play(t, { nodes, replicas, redis }, databases)))
  console.table(rows)
  if (rows.some(({ failed }) => failed > 0)) process.exitCode = 1
}

const missing = withoutClusters || withoutBalancer || withoutRedis
if (missing) {
  console.error(`The fleet needs more: ${missing}.`)
  process.exit(1)
}
// Each server that is started listens for the end of this process.
process.setMaxListeners(100)
const undo: (() => unknown)[] = []
try {
  await main(undo)
} finally {
  for (const done of undo) await done()
}
