import t from 'tap'
import { newId } from '../../../src/lib/ids.ts'
import { createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createWebhook, insertDelivery, insertEvent, settled } from '../../helpers/endpoints.ts'

const test = await testApp(t)
const { app, sql } = test
const organization = await createOrganization(test)
const { admin } = organization
const HOUR_S = 3_600

const before = (seconds: number) => new Date(Date.now() - seconds * 1_000).toISOString()
const recover = (id: string, since: string) => call(app, `POST /webhooks/${id}/recover`, { as: admin, body: { since } })
const disable = (id: string) => call(app, `PATCH /webhooks/${id}`, { as: admin, body: { enabled: false } })
const pendingOf = async (webhookId: string): Promise<string[]> =>
  (
    await sql(
      `select event_id from deliveries where webhook_id = $1 and state = 'pending' and next_attempt_at <= now()
       order by position, seq`,
      [webhookId],
    )
  ).map((row: { event_id: string }) => row.event_id)

t.test('a test is a recorded event and one delivery, to this webhook only, whatever its filter', async t => {
  const own = await createWebhook(test, organization, { eventTypes: ['comment.created'] })
  const other = await createWebhook(test, organization)
  const { status, body, headers } = await call(app, `POST /webhooks/${own.id}/test`, { as: admin })
  t.equal(status, 202)
  t.match(body, { webhookId: own.id, eventType: 'webhook.tested', state: 'pending', attemptCount: 0, attempts: [] })
  t.same((await call(app, `GET ${headers.location?.slice('/api/v1'.length)}`, { as: admin })).body, body)
  const [event] = await sql('select id, target_id, data from events where id = $1', [body.eventId])
  t.equal(event.target_id, own.id)
  t.notMatch(JSON.stringify(event.data), /whsec_|"secret"/)
  t.same(await pendingOf(other.id), [])
})

t.test('nothing is tested, recovered or sent again while the webhook is disabled', async t => {
  const { id } = await createWebhook(test, organization)
  const eventId = await insertEvent(test, organization.id, 'task.created')
  const deliveryId = await insertDelivery(test, id, eventId, 'failed')
  await disable(id)
  const answers = [
    await call(app, `POST /webhooks/${id}/test`, { as: admin }),
    await recover(id, before(HOUR_S)),
    await call(app, `POST /deliveries/${deliveryId}/resend`, { as: admin }),
  ]
  for (const { body } of answers) t.match(body, { status: 409, code: 'webhook_disabled' })
  t.same(await pendingOf(id), [])
})

t.test('a delivery is sent again as the same event, from the first attempt, with what was tried before', async t => {
  const { id } = await createWebhook(test, organization)
  const eventId = await insertEvent(test, organization.id, 'task.created')
  for (const state of ['delivered', 'failed', 'cancelled', 'pending']) {
    await sql('delete from deliveries where webhook_id = $1', [id])
    const deliveryId = await insertDelivery(test, id, eventId, state)
    const attempt = { at: before(60), status: 500, durationMs: 3, error: null, answer: 'no' }
    await sql('update deliveries set attempts = $2 where id = $1', [deliveryId, JSON.stringify([attempt])])
    const { status, body } = await call(app, `POST /deliveries/${deliveryId}/resend`, { as: admin })
    t.equal(status, 200, state)
    t.match(body, { id: deliveryId, eventId, state: 'pending', attemptCount: 0, settledAt: null })
    t.same(body.attempts, [attempt])
    t.same(await pendingOf(id), [eventId])
  }
})

t.test('a delivery whose event is no longer kept is not sent again, and says so', async t => {
  const { id } = await createWebhook(test, organization)
  const deliveryId = await insertDelivery(test, id, await insertEvent(test, organization.id, 'task.created'), 'failed')
  await sql('update deliveries set event_id = $2 where id = $1', [deliveryId, newId()])
  const { body } = await call(app, `POST /deliveries/${deliveryId}/resend`, { as: admin })
  t.match(body, { status: 409, code: 'event_expired' })
  t.match(await sql('select state from deliveries where id = $1', [deliveryId]), [{ state: 'failed' }])
})

t.test('recovery sends what is wanted and was missed since a time, in order and once', async t => {
  const own = await createOrganization(test)
  const { id } = await createWebhook(test, own, { eventTypes: ['task.*', 'comment.created'] })
  const event = (type: string, ago: number) => insertEvent(test, own.id, type, ago)
  await event('task.created', 2 * HOUR_S)
  const missed = [await event('task.created', 60), await event('comment.created', 50)]
  const [failed, cancelled] = [await event('task.updated', 40), await event('task.deleted', 30)]
  await insertDelivery(test, id, failed, 'failed')
  await insertDelivery(test, id, cancelled, 'cancelled')
  await insertDelivery(test, id, await event('task.completed', 20), 'delivered')
  await event('comment.deleted', 10)
  await event('project.created', 10)
  await insertEvent(test, organization.id, 'task.created', 10)
  await settled(test)
  const ask = () => call(app, `POST /webhooks/${id}/recover`, { as: own.admin, body: { since: before(HOUR_S) } })
  const answers = await Promise.all([ask(), ask(), ask()])
  t.same(answers.map(({ body }) => body.recovered).sort(), [0, 0, 4], 'calls at the same time share the work')
  t.same(await pendingOf(id), [...missed, failed, cancelled])
  const [{ count }] = await sql(
    'select count(*)::int as count from (select event_id from deliveries where webhook_id = $1 group by 1 having count(*) > 1) twice',
    [id],
  )
  t.equal(count, 0)
})

t.test('recovery of a long time is done in parts, the oldest first', async t => {
  const own = await createOrganization(test)
  const { id } = await createWebhook(test, own)
  await sql(
    `insert into events (id, type, organization_id, actor_type, target_type, target_id, data, created_at)
     select gen_random_uuid(), 'task.created', $1, 'system', 'task', gen_random_uuid(), '{}', now() - interval '1 minute'
     from generate_series(1, 2100)`,
    [own.id],
  )
  await settled(test)
  const parts: [number, boolean][] = []
  for (let more = true; more; ) {
    const { body } = await call(app, `POST /webhooks/${id}/recover`, {
      as: own.admin,
      body: { since: before(30 * HOUR_S) },
    })
    parts.push([body.recovered, body.hasMore])
    more = body.hasMore
  }
  t.same(parts.slice(0, 2), [
    [1000, true],
    [1000, true],
  ])
  t.equal(parts.length, 3)
  const all = await sql(`select event_id from deliveries where webhook_id = $1`, [id])
  t.ok(all.length >= 2100)
})

t.test('deliveries of another organization are not found, by no way', async t => {
  const { outsider } = organization
  const { id } = await createWebhook(test, organization)
  const deliveryId = await insertDelivery(test, id, await insertEvent(test, organization.id, 'task.created'), 'failed')
  for (const url of [
    `GET /webhooks/${id}/deliveries`,
    `GET /deliveries/${deliveryId}`,
    `POST /deliveries/${deliveryId}/resend`,
    `POST /webhooks/${id}/test`,
  ])
    t.equal((await call(app, url, { as: outsider })).status, 404, url)
  t.equal((await call(app, `POST /webhooks/${id}/recover`, { as: outsider, body: { since: before(60) } })).status, 404)
  t.same(await pendingOf(id), [])
})
