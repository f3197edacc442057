import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { WebSocket } from 'ws'
import { migrate } from '../src/database/migrate.ts'
import { randomToken, sha256 } from '../src/lib/crypto.ts'
import { type Lintel, startLintel } from './contestants.ts'
import { type BenchServer, withClient, withServer } from './database.ts'
import { numberOptions } from './options.ts'
import { drawTargets, seed, type Target } from './seed.ts'
import { residentMb, stopServer } from './servers.ts'
import { median, quantile } from './statistics.ts'

// Measures the memory of idle sockets, how soon many subscribers get an event, and the memory that subscribers cost who
// do not read.

const DATABASE = 'lintel_bench_live'
const TASKS = 1_000
/** The most sockets of one user (src/plugins/sockets). */
const SOCKETS_PER_USER = 20
/** Sockets that connect at the same time. */
const AT_ONCE = 100
/** How long the server gets to free what connecting took. */
const REST_MS = 10_000
const EVENTS = 10
/** Many large events: more than the buffers of the operating system hold for one socket. */
const LARGE_EVENTS = 600
const LARGE_CHARACTERS = 10_000
const UNREAD_WAIT_MS = 20_000

const { sockets, subscribers, unread } = numberOptions({ sockets: 10_000, subscribers: 5_000, unread: 1_000 })

interface Tenant {
  organizationId: string
  task: Target
  authorization: string
}

/** Adds users with sessions to an organization, and returns a ticket for each of their sockets. */
async function createTickets(client: pg.Client, organizationId: string): Promise<string[]> {
  const tickets = Array.from({ length: sockets }, () => randomToken())
  await client.query(
    `create temporary table reader as
       select n, gen_random_uuid() as user_id, gen_random_uuid() as session_id from generate_series(0, $1::int) n`,
    [Math.ceil(sockets / SOCKETS_PER_USER)],
  )
  await client.query(`insert into users (id, email, name, email_verified_at)
    select user_id, 'reader-' || n || '@example.com', 'Reader', now() from reader`)
  await client.query(`insert into sessions (id, user_id, expires_at)
    select session_id, user_id, now() + interval '1 day' from reader`)
  await client.query(`insert into members (organization_id, user_id, role) select $1, user_id, 'viewer' from reader`, [
    organizationId,
  ])
  await client.query(
    `insert into tokens (hash, purpose, user_id, subject, expires_at)
     select hash, 'realtime', user_id, session_id, now() + interval '10 minutes'
     from unnest($1::bytea[]) with ordinality as ticket(hash, at) join reader on n = (at - 1) / $2`,
    [tickets.map(ticket => sha256(ticket)), SOCKETS_PER_USER],
  )
  await client.query('analyze')
  return tickets
}

function connect(base: string, ticket: string): Promise<WebSocket> {
  const socket = new WebSocket(`${base.replace('http', 'ws')}/api/v1/realtime?ticket=${ticket}`)
  return new Promise((resolve, reject) => {
    socket.once('message', () => resolve(socket))
    socket.once('error', reject)
    socket.once('unexpected-response', (_request, { statusCode }) => reject(new Error(`refused with ${statusCode}`)))
  })
}

async function connectAll(base: string, tickets: string[]): Promise<WebSocket[]> {
  const open: WebSocket[] = []
  const waiting = tickets.values()
  const work = async () => {
    for (const ticket of waiting) open.push(await connect(base, ticket))
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return open
}

/** Resolves with the time at which a socket gets the next message of this type. */
const next = (socket: WebSocket, type: string): Promise<number> =>
  new Promise(resolve => {
    const hear = (data: unknown) => {
      if (!String(data).startsWith(`{"type":"${type}"`)) return
      socket.off('message', hear)
      resolve(performance.now())
    }
    socket.on('message', hear)
  })

async function subscribe(some: WebSocket[], topic: string): Promise<void> {
  await Promise.all(
    some.map(socket => {
      socket.send(JSON.stringify({ type: 'subscribe', topic }))
      return next(socket, 'subscribed')
    }),
  )
}

/** Changes the task; repeats it where the server is overloaded, as its answer asks for. */
async function update({ task, authorization }: Tenant, base: string, body: object): Promise<void> {
  const answer = await fetch(`${base}/api/v1/tasks/${task.id}`, {
    method: 'PATCH',
    headers: { authorization, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  await answer.arrayBuffer()
  if (answer.ok) return
  const seconds = answer.headers.get('retry-after')
  if (seconds === null) throw new Error(`the change of a task was answered with ${answer.status}`)
  await sleep(Number(seconds) * 1_000)
  await update({ task, authorization } as Tenant, base, body)
}

async function measureIdle(lintel: Lintel, tickets: string[]): Promise<WebSocket[]> {
  const { url, child } = lintel.server
  const before = residentMb(child.pid) ?? Number.NaN
  const started = performance.now()
  const open = await connectAll(url, tickets)
  const seconds = (performance.now() - started) / 1_000
  await sleep(REST_MS)
  const after = residentMb(child.pid) ?? Number.NaN
  const each = ((after - before) * 1_024) / open.length
  console.log(
    `${open.length} idle sockets, opened in ${seconds.toFixed(1)} s: ${before.toFixed(0)} → ${after.toFixed(0)} MB, ${each.toFixed(1)} KB each`,
  )
  return open
}

/** The time from the answer to the change until half of the subscribers, 99 % and the last have its event. */
async function measureFanOut(lintel: Lintel, tenant: Tenant, readers: WebSocket[]): Promise<void> {
  const { url } = lintel.server
  await subscribe(readers, `organization:${tenant.organizationId}`)
  const samples: number[][] = []
  for (let n = 0; n < EVENTS; n++) {
    const heard = readers.map(socket => next(socket, 'event'))
    await update(tenant, url, { title: `Change ${n}` })
    const changed = performance.now()
    samples.push((await Promise.all(heard)).map(at => at - changed).sort((a, b) => a - b))
  }
  const [half, most, last] = [0.5, 0.99, 1].map(share => median(samples.map(sorted => quantile(sorted, share - 1e-9))))
  console.log(
    `an event to ${readers.length} subscribers, median of ${EVENTS}: half after ${half?.toFixed(0)} ms, 99 % after ${most?.toFixed(0)}, the last after ${last?.toFixed(0)}`,
  )
}

/** The memory while subscribers do not read, and how many of them the server has closed at the end. */
async function measureUnread(lintel: Lintel, tenant: Tenant, readers: WebSocket[]): Promise<void> {
  const { url, child } = lintel.server
  const before = residentMb(child.pid) ?? Number.NaN
  let most = before
  for (const socket of readers) socket.pause()
  const watch = setInterval(() => {
    most = Math.max(most, residentMb(child.pid) ?? most)
  }, 100)
  for (let n = 0; n < LARGE_EVENTS; n++)
    await update(tenant, url, { description: `${n} ${'x'.repeat(LARGE_CHARACTERS - 10)}` })
  await sleep(UNREAD_WAIT_MS)
  clearInterval(watch)
  let closed = 0
  for (const socket of readers) {
    socket.once('close', () => closed++)
    socket.resume()
  }
  await sleep(REST_MS)
  console.log(
    `${readers.length} subscribers that do not read, ${LARGE_EVENTS} events of ${LARGE_CHARACTERS / 1_000} KB: ${before.toFixed(0)} → at most ${most.toFixed(0)} MB, ${closed} closed`,
  )
}

async function measureLive(url: string, client: pg.Client): Promise<void> {
  await seed(client, TASKS)
  const targets = await drawTargets(client)
  const task = targets.tasks[0] as Target
  const { rows } = await client.query('select organization_id from tasks where id = $1', [task.id])
  const organizationId = rows[0].organization_id
  const tickets = await createTickets(client, organizationId)
  const lintel = await startLintel(url)
  const authorization = `Bearer ${lintel.tokens(targets).get(task.userId)}`
  const tenant = { organizationId, task, authorization }
  const open = await measureIdle(lintel, tickets)
  try {
    await measureFanOut(lintel, tenant, open.slice(0, subscribers))
    for (const socket of open.slice(unread)) socket.terminate()
    await sleep(REST_MS)
    await measureUnread(lintel, tenant, open.slice(0, unread))
  } finally {
    for (const socket of open) socket.terminate()
    await lintel.close()
    await stopServer(lintel.server)
  }
}

async function main(server: BenchServer): Promise<void> {
  const url = await server.create(DATABASE)
  try {
    await migrate(url)
    await withClient(url, client => measureLive(url, client))
  } finally {
    await server.drop(DATABASE)
  }
}

await withServer(main)
