import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import manifest from '../package.json' with { type: 'json' }
import { type BenchServer, serverVersion, withClient, withServer } from './database.ts'
import type { Order, Outcome } from './drivers/child.ts'
import { setups } from './drivers/setups.ts'
import { numberOptions } from './options.ts'
import { median } from './statistics.ts'

const DATABASE = 'lintel_bench_drivers'
const CHILD = new URL('drivers/child.ts', import.meta.url)
const RESULTS = new URL('results/', import.meta.url)
const ROWS = 100_000
const KILL_EVERY_MS = 15
const ENDED_EARLY: Outcome = { done: 0, failed: 0, unsettled: 32, uncaught: 1, usable: false, seconds: 0, cpuMicros: 0 }

const options = numberOptions({ seconds: 6, rounds: 5, 'round-seconds': 1.5 })

async function start(setup: string, url: string): Promise<ChildProcess> {
  const child = fork(CHILD, [setup, url], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  await once(child, 'message')
  return child
}

/** A child that exits before it answers was ended by an uncaught error. */
async function order(child: ChildProcess, work: Order): Promise<Outcome> {
  child.send(work)
  const answer = once(child, 'message').then(([outcome]) => outcome as Outcome)
  return Promise.race([answer, once(child, 'exit').then(() => ENDED_EARLY)])
}

async function versions(url: string) {
  const { dependencies, devDependencies } = manifest
  const postgresql = await serverVersion(url)
  return { node: process.version, postgresql, pg: dependencies.pg, 'postgres.js': devDependencies.postgres }
}

async function fill(url: string): Promise<void> {
  await withClient(url, async client => {
    await client.query('create table items (id int primary key, title text not null, created_at timestamptz not null)')
    await client.query('create table counters (id int primary key, value int not null default 0)')
    await client.query(`insert into items select n, 'Item ' || n, now() from generate_series(1, ${ROWS}) n`)
    await client.query(`insert into counters select n from generate_series(1, ${ROWS}) n`)
    await client.query('vacuum analyze')
  })
}

/** Terminates a random backend of the bench database every 15 ms until `signal` aborts; returns how many. */
async function killBackends(server: BenchServer, signal: AbortSignal): Promise<number> {
  return withClient(server.url, async killer => {
    let killed = 0
    while (!signal.aborted) {
      const { rowCount } = await killer.query({
        name: 'kill',
        text: `select pg_terminate_backend(pid) from pg_stat_activity where datname = $1 order by random() limit 1`,
        values: [DATABASE],
      })
      killed += rowCount ?? 0
      await sleep(KILL_EVERY_MS)
    }
    return killed
  })
}

async function fault(setup: string, work: Order['work'], server: BenchServer) {
  const child = await start(setup, server.urlOf(DATABASE))
  const stop = new AbortController()
  const killing = killBackends(server, stop.signal)
  const running = order(child, { work, seconds: options.seconds })
  await Promise.race([running, sleep(options.seconds * 1_000)])
  stop.abort()
  const outcome = await running
  child.kill('SIGKILL')
  const { done, failed, unsettled, uncaught, usable } = outcome
  return { setup, work, killed: await killing, done, failed, unsettled, uncaught, usable }
}

async function faults(server: BenchServer) {
  const rows = []
  for (const setup of ['pg, pool of ten', 'pg, as Lintel uses it', 'postgres.js, pool of ten'])
    for (const work of ['read', 'transaction'] as const) {
      rows.push(await fault(setup, work, server))
      console.log(JSON.stringify(rows.at(-1)))
    }
  return rows
}

async function speed(url: string) {
  const children = new Map<string, ChildProcess>()
  const samples = new Map<string, Outcome[]>()
  for (const setup of Object.keys(setups)) {
    children.set(setup, await start(setup, url))
    samples.set(setup, [])
  }
  const seconds = options['round-seconds']
  for (const child of children.values()) await order(child, { work: 'read', seconds: seconds / 2 })
  for (let round = 1; round <= options.rounds; round++) {
    for (const [setup, child] of children) samples.get(setup)?.push(await order(child, { work: 'read', seconds }))
    console.log(`round ${round} of ${options.rounds}`)
  }
  for (const child of children.values()) child.kill('SIGKILL')
  return [...samples].map(([setup, outcomes]) => ({
    setup,
    readsPerSecond: Math.round(median(outcomes.map(({ done, seconds }) => done / seconds))),
    cpuMicrosPerRead: Number(median(outcomes.map(({ cpuMicros, done }) => cpuMicros / done)).toFixed(1)),
  }))
}

await withServer(async server => {
  const url = await server.create(DATABASE)
  await fill(url)
  const report = { versions: await versions(url), speed: await speed(url), faults: await faults(server) }
  await server.drop(DATABASE)
  console.table([report.versions])
  console.table(report.speed)
  console.table(report.faults)
  await mkdir(RESULTS, { recursive: true })
  await writeFile(new URL('drivers.json', RESULTS), `${JSON.stringify(report, null, 2)}\n`)
})
