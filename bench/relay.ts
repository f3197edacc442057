import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { migrate } from '../src/database/migrate.ts'
import { newId } from '../src/lib/ids.ts'
import { type BenchServer, withClient, withServer } from './database.ts'
import { numberOptions } from './options.ts'
import { cpuMicros, freePort, type Server, startServer, stopServer } from './servers.ts'
import { median } from './statistics.ts'

// Measures how many committed events a second the relay hands to its subscriber, the deliveries of webhooks: events that no
// webhook wants, and events that one wants, which makes a row for each. Its endpoint is blocked, so nothing is sent.

const DATABASE = 'lintel_bench_relay'
const BATCH = 500
const POLL_MS = 20

const { events, rounds } = numberOptions({ events: 20_000, rounds: 3 })

interface Bench {
  client: pg.Client
  server: Server
  url: string
}

async function insertEvents(client: pg.Client, organizationId: string): Promise<void> {
  for (let done = 0; done < events; done += BATCH)
    await client.query(
      `insert into events (id, type, organization_id, actor_type, target_type, target_id, data)
        select gen_random_uuid(), 'task.created', $1, 'system', 'task', $1, jsonb_build_object('id', n, 'title', repeat('x', 300))
        from generate_series(1, $2::int) n`,
      [organizationId, BATCH],
    )
}

/** Whether the relay has passed the last event. */
async function isThrough({ client }: Bench): Promise<boolean> {
  const { rows } = await client.query(
    `select (c.position, c.seq) >= (e.position, e.seq) as through
      from event_cursors c, (select position, seq from events order by position desc, seq desc limit 1) e
      where c.subscriber = 'webhooks'`,
  )
  return rows[0]?.through === true
}

/** Inserts events while the relay is kept from its cursor, then lets it go; returns the events a second. */
async function measure(bench: Bench, organizationId: string): Promise<{ rate: number; cpu: number }> {
  const { client, server, url } = bench
  await client.query('begin')
  await client.query(`select from event_cursors where subscriber = 'webhooks' for update`)
  await withClient(url, other => insertEvents(other, organizationId))
  const cpuBefore = cpuMicros(server.child.pid) ?? Number.NaN
  const started = performance.now()
  await client.query('commit')
  while (!(await isThrough(bench))) await sleep(POLL_MS)
  const rate = events / ((performance.now() - started) / 1000)
  return { rate, cpu: ((cpuMicros(server.child.pid) ?? Number.NaN) - cpuBefore) / events }
}

async function createOrganization({ client }: Bench, { isListening }: { isListening: boolean }): Promise<string> {
  const id = newId()
  await client.query(`insert into organizations (id, name, slug) values ($1, 'Bench', $2)`, [id, id])
  if (isListening)
    await client.query(
      `insert into webhooks (id, organization_id, url, event_types, secret, blocked_until)
        values ($1, $2, 'https://example.com/', array['task.*'], '', now() + interval '1 day')`,
      [newId(), id],
    )
  return id
}

async function measureRelay(url: string, client: pg.Client): Promise<void> {
  const args = ['--import', './src/preload.mjs', 'src/server.ts']
  const server = await startServer('relay', args, await freePort(), { DATABASE_URL: url, LOG_LEVEL: 'warn' })
  const bench = { client, server, url }
  try {
    for (const isListening of [false, true]) {
      const organizationId = await createOrganization(bench, { isListening })
      const samples: { rate: number; cpu: number }[] = []
      for (let round = 0; round < rounds; round++) samples.push(await measure(bench, organizationId))
      const [rate, cpu] = [median(samples.map(({ rate }) => rate)), median(samples.map(({ cpu }) => cpu))]
      const what = isListening ? 'that a webhook wants' : 'that no webhook wants'
      console.log(`${rate.toFixed(0)} events a second ${what}, ${cpu.toFixed(0)} µs of CPU of the process each`)
    }
  } finally {
    await stopServer(server)
  }
}

async function main(server: BenchServer): Promise<void> {
  const url = await server.create(DATABASE)
  try {
    await migrate(url)
    await withClient(url, client => measureRelay(url, client))
  } finally {
    await server.drop(DATABASE)
  }
}

await withServer(main)
process.exit()
