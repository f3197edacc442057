import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { loadConfig } from '../src/config.ts'
import { migrate } from '../src/database/migrate.ts'
import { newSecret } from '../src/domains/webhooks/service/secrets.ts'
import { newId } from '../src/lib/ids.ts'
import { type BenchServer, withClient, withServer } from './database.ts'
import { numberOptions } from './options.ts'
import { cpuMicros, freePort, type Server, startServer, stopServer } from './servers.ts'
import { median, quantile } from './statistics.ts'

// Measures deliveries of webhooks: how many a second to fast receivers, and whether three bad receivers (one is dead, one
// drips, one answers after 14 s) make those of good ones later.

const DATABASE = 'lintel_bench_webhooks'
const BATCH = 500
/** Events a second while the delay is measured: far below the rate, so that it shows who waits for whom. */
const PACE = 40
const TICK_MS = 100
const SLOW_MS = 14_000
const DRIP_MS = 1_000
/** The highest p95 beside bad receivers, as a multiple of that without. */
const MOST = 1.1

const { receivers, events, rounds, seconds } = numberOptions({ receivers: 5, events: 4_000, rounds: 5, seconds: 10 })

const bad: Record<string, (response: ServerResponse) => void> = {
  dead: () => {},
  dripping(response) {
    response.writeHead(200).write('x')
    const timer = setInterval(() => response.write('x'), DRIP_MS)
    response.on('close', () => clearInterval(timer))
  },
  slow: response => void setTimeout(() => response.end(), SLOW_MS).unref(),
}

/** Every receiver of the bench, each with a port of its own, and so an origin. */
class Receivers {
  /** Milliseconds from the event to its arrival at a good receiver. */
  delaysMs: number[] = []

  async open(answer?: (response: ServerResponse) => void): Promise<string> {
    const server = createServer(async (request, response) => {
      const body = await text(request).catch(() => '')
      if (answer) return answer(response)
      this.delaysMs.push(Date.now() - Date.parse(JSON.parse(body).timestamp))
      response.end()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  }

  async have(count: number): Promise<void> {
    while (this.delaysMs.length < count) await sleep(5)
  }
}

async function insertWebhook(client: pg.Client, organizationId: string, url: string, type: string): Promise<void> {
  const id = newId()
  const { sealed } = newSecret(loadConfig({}).keyring, id)
  await client.query(
    'insert into webhooks (id, organization_id, url, event_types, secret) values ($1, $2, $3, array[$4::text], $5)',
    [id, organizationId, url, type, sealed],
  )
}

const insertEvents = (client: pg.Client, organizationId: string, type: string, count: number) =>
  client.query(
    `insert into events (id, type, organization_id, actor_type, target_type, target_id, data)
      select gen_random_uuid(), $2, $1, 'system', 'task', $1, jsonb_build_object('id', n, 'title', repeat('x', 300))
      from generate_series(1, $3::int) n`,
    [organizationId, type, count],
  )

interface Bench {
  client: pg.Client
  organizationId: string
  to: Receivers
  server: Server
}

/** Inserts events as fast as possible; prints how many deliveries a second arrive, and their CPU time. */
async function measureRate({ client, organizationId, to, server }: Bench): Promise<void> {
  const cpuBefore = cpuMicros(server.child.pid) ?? Number.NaN
  const started = performance.now()
  for (let done = 0; done < events; done += BATCH) await insertEvents(client, organizationId, 'task.created', BATCH)
  const count = events * receivers
  await to.have(count)
  const elapsedSeconds = (performance.now() - started) / 1000
  const cpu = ((cpuMicros(server.child.pid) ?? Number.NaN) - cpuBefore) / count
  console.log(
    `rate: ${(count / elapsedSeconds).toFixed(0)} deliveries a second to ${receivers} receivers, ${cpu.toFixed(0)} µs of CPU each`,
  )
}

/** Publishes at a steady pace; returns the p95 of the delay at good receivers. */
async function measureDelay({ client, organizationId, to }: Bench, type: string): Promise<number> {
  to.delaysMs = []
  const perTick = (PACE * TICK_MS) / 1000
  const ticks = (seconds * 1000) / TICK_MS
  for (let tick = 0; tick < ticks; tick++) {
    await insertEvents(client, organizationId, type, perTick)
    await sleep(TICK_MS)
  }
  await to.have(ticks * perTick * receivers)
  return quantile(
    to.delaysMs.toSorted((a, b) => a - b),
    0.95,
  )
}

async function compare(bench: Bench): Promise<boolean> {
  const samples = { without: [] as number[], beside: [] as number[] }
  for (let round = 1; round <= rounds; round++) {
    const without = await measureDelay(bench, 'task.created')
    const beside = await measureDelay(bench, 'task.updated')
    samples.without.push(without)
    samples.beside.push(beside)
    console.log(`round ${round} of ${rounds}: p95 ${without} → ${beside} ms`)
  }
  const [without, beside] = [median(samples.without), median(samples.beside)]
  console.log(`delay: p95 ${without} → ${beside} ms beside three bad receivers, × ${(beside / without).toFixed(2)}`)
  return beside / without < MOST
}

async function measureWebhooks(url: string, client: pg.Client): Promise<void> {
  const port = await freePort()
  const args = ['--import', './src/preload.mjs', 'src/server.ts']
  const server = await startServer('webhooks', args, port, { DATABASE_URL: url, LOG_LEVEL: 'warn' })
  const to = new Receivers()
  const organizationId = newId()
  await client.query(`insert into organizations (id, name, slug) values ($1, 'Bench', $2)`, [
    organizationId,
    organizationId,
  ])
  for (let n = 0; n < receivers; n++) await insertWebhook(client, organizationId, await to.open(), 'task.*')
  for (const answer of Object.values(bad))
    await insertWebhook(client, organizationId, await to.open(answer), 'task.updated')
  try {
    const bench = { client, organizationId, to, server }
    await measureDelay(bench, 'task.created')
    to.delaysMs = []
    await measureRate(bench)
    process.exitCode = (await compare(bench)) ? 0 : 1
  } finally {
    await stopServer(server)
  }
}

async function main(server: BenchServer): Promise<void> {
  const url = await server.create(DATABASE)
  try {
    await migrate(url)
    await withClient(url, client => measureWebhooks(url, client))
  } finally {
    await server.drop(DATABASE)
  }
}

await withServer(main)
process.exit()
