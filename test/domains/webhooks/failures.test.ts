import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createOrganization } from '../../helpers/actors.ts'
import { awaitMail, eventually } from '../../helpers/mail.ts'
import { listener } from '../../helpers/outbound.ts'
import {
  createTenant,
  createWebhook,
  deliveriesTo,
  dispatchingApp,
  publish,
  receiver,
  settled,
} from '../../helpers/webhooks.ts'

const SCHEDULE = [0, 0, 0, 100]
const TIMEOUT_MS = 1_500

const test = await dispatchingApp(t, { webhookSchedule: SCHEDULE, webhookTimeoutMs: TIMEOUT_MS })
const { sql } = test
const organizationId = await createTenant(test)

const endpoint = (url: string, eventTypes?: string[]) =>
  createWebhook(test, { organizationId, url, ...(eventTypes && { eventTypes }) })
const webhookRow = async (id: string) =>
  (
    await sql(
      `select enabled, disabled_reason as reason, failure_count as failures,
        (extract(epoch from blocked_until - clock_timestamp()))::float8 as blocked from webhooks where id = $1`,
      [id],
    )
  )[0]

/** Publishes one event to a new endpoint at `url`; returns the id of the endpoint. */
async function deliverTo(url: string): Promise<string> {
  const type = `case${Math.random().toString(36).slice(2)}.happened`
  const { id } = await endpoint(url, [type])
  await publish(test, { organizationId, type })
  return id
}
/** Waits until the only delivery of an endpoint was attempted `count` times; returns it. */
const attempted = (id: string, count: number) =>
  eventually(async () => {
    const [row] = await deliveriesTo(test, id)
    return row && row.attemptCount >= count && row
  }, `${count} attempts for ${id}`)

t.test('an attempt that fails is repeated with the same id, until it succeeds', async t => {
  let left = 2
  const to = await receiver(t, (_, response) => {
    response.statusCode = left-- > 0 ? 500 : 204
    response.end('no\0pe \ud83d')
  })
  const id = await deliverTo(to.url)
  const [delivery] = await settled(test, id, 1)
  t.equal(delivery?.attemptCount, 3)
  t.match(delivery?.attempts, [
    { status: 500, error: null, answer: 'no\ufffdpe \ufffd' },
    { status: 500 },
    { status: 204 },
  ])
  t.equal(new Set(to.received.map(request => request.id)).size, 1)
  t.equal(new Set(to.received.map(({ body }) => body)).size, 1)
  await eventually(async () => (await webhookRow(id)).failures === 0, 'the failures no longer count')
})

t.test('after the last attempt the endpoint is disabled, with an event and a mail to each owner', async t => {
  const own = await createOrganization(test)
  const to = await receiver(t, (_, response) => void response.writeHead(500).end())
  const { id } = await createWebhook(test, { organizationId: own.id, url: to.url })
  const [last] = await publish(test, { organizationId: own.id })
  await attempted(id, 3)
  await publish(test, { organizationId: own.id })
  await eventually(async () => (await deliveriesTo(test, id)).length === 2, 'another delivery waits')
  await sql('update deliveries set next_attempt_at = now() where webhook_id = $1 and event_id = $2', [id, last])
  const mail = await awaitMail(test, own.owner.email)
  t.match(mail.subject, 'A webhook was disabled')
  t.match(await webhookRow(id), { enabled: false, reason: 'exhausted' })
  const [failed, cancelled] = await deliveriesTo(test, id)
  t.match(failed, { eventId: last, state: 'failed', attemptCount: SCHEDULE.length })
  t.match(cancelled, { state: 'cancelled' })
  t.equal((await sql(`select from events where type = 'webhook.disabled' and target_id = $1`, [id])).length, 1)
})

t.test('410 disables the endpoint at once', async t => {
  const to = await receiver(t, (_, response) => void response.writeHead(410).end())
  const id = await deliverTo(to.url)
  await settled(test, id, 1, 'failed')
  t.match(await webhookRow(id), { enabled: false, reason: 'gone' })
  t.equal(to.received.length, 1)
})

t.test('a redirect is a failure and is not followed', async t => {
  const other = await receiver(t)
  const to = await receiver(t, (_, response) => void response.writeHead(307, { location: other.url }).end())
  const row = await attempted(await deliverTo(to.url), 1)
  t.match(row.attempts, [{ status: 307 }])
  t.equal(other.received.length, 0)
})

for (const [form, value] of [
  ['seconds', () => '3600'],
  ['a date', () => new Date(Date.now() + 3_600_000).toUTCString()],
] as const)
  t.test(`Retry-After in ${form} keeps everything from the endpoint until then`, async t => {
    const to = await receiver(t, (_, response) => void response.writeHead(429, { 'retry-after': value() }).end())
    const type = `busy${form.length}.happened`
    const { id } = await endpoint(to.url, [type])
    await publish(test, { organizationId, type })
    const row = await attempted(id, 1)
    t.ok((row.nextMs as number) > 3_000_000, 'the delivery waits')
    await eventually(async () => (await webhookRow(id)).blocked > 3_000, 'the endpoint is blocked')
    await publish(test, { organizationId, type })
    await eventually(async () => (await deliveriesTo(test, id)).length === 2, 'the next is there')
    await sleep(1_500)
    t.equal(to.received.length, 1, 'nothing was sent')
  })

const drip = (response: ServerResponse) => {
  response.writeHead(200).write('x')
  const timer = setInterval(() => response.write('x'), 100)
  response.on('close', () => clearInterval(timer))
}

t.test('receivers that never answer, drip or never end their headers hold nobody up', async t => {
  const type = 'mixed.happened'
  const silent = await receiver(t, () => {})
  const dripping = await receiver(t, (_, response) => drip(response))
  const endless = await listener(t, socket => {
    socket.write('HTTP/1.1 200 OK\r\n')
    const more = () => {
      while (!socket.destroyed && socket.write(`x: ${'y'.repeat(1000)}\r\n`));
    }
    socket.on('drain', more)
    more()
  })
  const good = await receiver(t)
  const bad = [
    await endpoint(silent.url, [type]),
    await endpoint(dripping.url, [type]),
    await endpoint(endless.url, [type]),
  ]
  const first = await endpoint(good.url, [type])
  const second = await endpoint(`${good.url}second`, [type])
  await publish(test, ...Array.from({ length: 60 }, () => ({ organizationId, type })))
  await settled(test, first.id, 60)
  await settled(test, second.id, 60)
  // On a busy machine a good one may time out as well, and gets the same event again.
  t.equal(
    new Set(good.received.map(({ id, path }) => `${id} ${path}`)).size,
    120,
    'two endpoints of one origin each get everything',
  )
  for (const { id } of bad) {
    const row = await eventually(
      async () => (await deliveriesTo(test, id)).find(({ attemptCount }) => attemptCount > 0),
      id,
    )
    t.match(row.attempts[0], { status: null, error: /\w/ })
    t.equal((await deliveriesTo(test, id)).filter(({ state }) => state === 'delivered').length, 0)
  }
})

t.test('a dead receiver is probed once in a while, and what is not probed keeps its attempts', async t => {
  const type = 'dead.happened'
  const to = await receiver(t, (_, response) => void response.writeHead(503).end())
  const { id } = await endpoint(to.url, [type])
  await publish(test, ...Array.from({ length: 40 }, () => ({ organizationId, type })))
  await eventually(async () => (await webhookRow(id)).failures >= 5, 'the circuit is open')
  await sleep(1_500)
  const rows = await deliveriesTo(test, id)
  t.ok(rows.filter(({ attemptCount }) => attemptCount === 0).length >= 10, 'most have all their attempts')
  t.ok((await webhookRow(id)).enabled)
})

t.test('at most 64 KiB of an answer are read, and 1,000 characters are kept', async t => {
  const to = await receiver(t, (_, response) => void response.end('y'.repeat(10_000_000)))
  const [row] = await settled(test, await deliverTo(to.url), 1)
  t.equal(row?.attempts[0]?.answer, 'y'.repeat(1_000))
})

t.test('what is disabled or deleted while an attempt is under way is not repeated', async t => {
  const waiting: ServerResponse[] = []
  const to = await receiver(t, (_, response) => void waiting.push(response))
  const [disabled, deleted] = [await deliverTo(`${to.url}disabled`), await deliverTo(`${to.url}deleted`)]
  await eventually(async () => waiting.length === 2, 'both are under way')
  await sql('update webhooks set enabled = false where id = $1', [disabled])
  await sql(`update deliveries set state = 'cancelled', next_attempt_at = null where webhook_id = $1`, [disabled])
  await sql('delete from webhooks where id = $1', [deleted])
  for (const response of waiting) response.writeHead(500).end()
  const row = await attempted(disabled, 1)
  t.match(row, { state: 'cancelled', attempts: [{ status: 500 }] })
  await sleep(1_500)
  t.equal(to.received.length, 2)
})
