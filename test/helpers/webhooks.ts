import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Config } from '../../src/config.ts'
import { newSecret } from '../../src/domains/webhooks/service/secrets.ts'
import { newId } from '../../src/lib/ids.ts'
import { type TestApp, testApp } from './app.ts'
import { eventually } from './mail.ts'

interface Test {
  teardown(done: () => Promise<void>): void
}

export interface Received {
  id: string
  path: string
  headers: IncomingHttpHeaders
  body: string
}

export interface Receiver {
  url: string
  /** Every request, in the order of arrival. */
  received: Received[]
  /** The most requests that were open at once, and how often one event was there twice at once. */
  most: { open: number; twice: number }
}

type Answer = (request: Received, response: ServerResponse) => void

const ok: Answer = (_, response) => void response.end('ok')

/** Starts a receiver on loopback that answers 200 unless `answer` does otherwise. */
export async function receiver(t: Test, answer: Answer = ok): Promise<Receiver> {
  const received: Received[] = []
  const most = { open: 0, twice: 0 }
  const open = new Set<string>()
  const server = createServer(async (request, response) => {
    const { headers, url: path = '' } = request
    const id = `${path} ${headers['webhook-id']}`
    if (open.has(id)) most.twice += 1
    open.add(id)
    most.open = Math.max(most.open, open.size)
    response.on('close', () => open.delete(id))
    const body = await text(request).catch(() => '')
    const got = { id: String(headers['webhook-id']), path, headers, body }
    received.push(got)
    answer(got, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, received, most }
}

/** What a test of deliveries overrides: receivers are on loopback, and a dispatcher runs. */
export const DISPATCHING: Partial<Config> = { works: true, outboundAllow: ['127.0.0.1'] }

/** Starts an app that delivers; events that are published from now on reach its webhooks. */
export async function dispatchingApp(t: Test, overrides: Partial<Config> = {}): Promise<TestApp> {
  const test = await testApp(t, { ...DISPATCHING, ...overrides })
  await subscribed(test)
  return test
}

export const subscribed = ({ sql }: Pick<TestApp, 'sql'>) =>
  eventually(
    async () => (await sql(`select from event_cursors where subscriber = 'webhooks'`)).length > 0,
    'webhooks follow the log',
  )

interface Webhook {
  organizationId: string
  url: string
  eventTypes?: string[]
}

/** Inserts a webhook directly; returns its id and its secret as it is shown. */
export async function createWebhook({ sql, config }: TestApp, { organizationId, url, eventTypes = ['*'] }: Webhook) {
  const id = newId()
  const { shown, sealed } = newSecret(config.keyring, id)
  await sql(
    `insert into webhooks (id, organization_id, url, event_types, secret) values ($1, $2, $3, $4::text[], $5)`,
    [id, organizationId, url, eventTypes, sealed],
  )
  return { id, secret: shown }
}

export async function createTenant({ sql }: TestApp): Promise<string> {
  const id = newId()
  await sql(`insert into organizations (id, name, slug) values ($1, 'Organization', $2)`, [id, `o-${id}`])
  return id
}

interface Publication {
  organizationId: string | null
  type?: string
  targetId?: string
  data?: object
}

/** Inserts events in one transaction, in order; returns their ids. */
export async function publish({ sql }: TestApp, ...events: Publication[]): Promise<string[]> {
  const rows = events.map(({ organizationId, type = 'task.created', targetId, data }) => {
    const id = newId()
    return { id, organizationId, type, targetId: targetId ?? id, data: data ?? { id } }
  })
  await sql(
    `insert into events (id, type, organization_id, actor_type, target_type, target_id, data)
      select id, type, "organizationId", 'system', split_part(type, '.', 1), "targetId", data
      from jsonb_to_recordset($1::jsonb) as e(id uuid, type text, "organizationId" uuid, "targetId" uuid, data jsonb)`,
    [JSON.stringify(rows)],
  )
  return rows.map(({ id }) => id)
}

export interface DeliveryRow {
  id: string
  eventId: string
  state: string
  attemptCount: number
  attempts: { status: number | null; error: string | null; answer: string | null; durationMs: number; at: string }[]
  nextMs: number | null
}

export const deliveriesTo = ({ sql }: TestApp, webhookId: string): Promise<DeliveryRow[]> =>
  sql(
    `select id, event_id as "eventId", state, attempt_count as "attemptCount", attempts,
      (extract(epoch from next_attempt_at - clock_timestamp()) * 1000)::float8 as "nextMs"
    from deliveries where webhook_id = $1 order by position, seq`,
    [webhookId],
  )

/** Waits until an endpoint has `count` deliveries in a state; returns all of its deliveries. */
export const settled = (test: TestApp, webhookId: string, count: number, state = 'delivered'): Promise<DeliveryRow[]> =>
  eventually(async () => {
    const rows = await deliveriesTo(test, webhookId)
    return rows.filter(row => row.state === state).length >= count && rows
  }, `${count} ${state} for ${webhookId}`)
