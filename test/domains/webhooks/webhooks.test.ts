import t from 'tap'
import { newId } from '../../../src/lib/ids.ts'
import { createKey, createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createWebhook, insertDelivery, insertEvent } from '../../helpers/endpoints.ts'

const test = await testApp(t, { outboundAllow: ['127.0.0.1:4999'] })
const { app, sql } = test
const organization = await createOrganization(test)
const { admin } = organization
const path = `/organizations/${organization.id}/webhooks`
const body = { url: 'https://example.com/hooks', eventTypes: ['task.*'] }

/** The tables, as text, in which a value appears. */
async function tablesWith(text: string): Promise<string[]> {
  const tables = await sql(`select table_schema || '.' || table_name as name from information_schema.tables
    where table_schema in ('public', 'jobs') and table_type = 'BASE TABLE'`)
  const found: string[] = []
  for (const { name } of tables)
    if ((await sql(`select from ${name} r where r::text like '%' || $1 || '%' limit 1`, [text])).length > 0)
      found.push(name)
  return found
}

t.test('a secret is in the answer to its creation and to its rotation, and stored only encrypted', async t => {
  const created = await call(app, `POST ${path}`, { as: admin, body })
  t.equal(created.headers['cache-control'], 'no-store')
  const rotated = await call(app, `POST /webhooks/${created.body.id}/rotate-secret`, { as: admin })
  t.equal(rotated.headers['cache-control'], 'no-store')
  t.not(created.body.secret, rotated.body.secret)
  for (const { secret } of [created.body, rotated.body]) {
    t.match(secret, /^whsec_[A-Za-z0-9+/]{43}=$/)
    const bytes = Buffer.from(secret.slice(6), 'base64')
    for (const form of [secret.slice(6), bytes.toString('hex')]) t.same(await tablesWith(form), [])
  }
  for (const url of [`GET ${path}`, `GET /webhooks/${created.body.id}`, `GET /organizations/${organization.id}/events`])
    t.notMatch((await call(app, url, { as: admin })).text, /whsec_|"secret"/)
})

t.test('an idempotent create makes one webhook and keeps its secret nowhere', async t => {
  const headers = { 'idempotency-key': newId() }
  const first = await call(app, `POST ${path}`, { as: admin, body, headers })
  t.equal(first.status, 201)
  const again = await call(app, `POST ${path}`, { as: admin, body, headers })
  t.match(again.body, { status: 409, code: 'idempotency_answer_not_kept' })
  t.same(await tablesWith(first.body.secret.slice(6)), [])
})

t.test('the secret before a rotation signs for the overlap, a day unless asked for another, and 0 ends it', async t => {
  const { id } = await createWebhook(test, organization)
  const rotate = async (given?: object) =>
    (await call(app, `POST /webhooks/${id}/rotate-secret`, { as: admin, ...(given && { body: given }) })).body
  const stored = async () =>
    (
      await sql(
        `select previous_secret, extract(epoch from previous_secret_expires_at - updated_at)::int as seconds
         from webhooks where id = $1`,
        [id],
      )
    )[0]
  await rotate()
  t.equal((await stored()).seconds, 86_400)
  await rotate({ overlapSeconds: 60 })
  t.equal((await stored()).seconds, 60)
  const { previousSecretExpiresAt } = await rotate({ overlapSeconds: 0 })
  t.equal(previousSecretExpiresAt, null)
  t.equal((await stored()).previous_secret, null)
})

t.test('a URL is stored in normal form, and refused where nothing may be sent', async t => {
  const { url } = await createWebhook(test, organization, { url: 'HTTPS://Example.com:443/a/../b?c#d' })
  t.match(url, /^https:\/\/example\.com\/b\?c/)
  await createWebhook(test, organization, { url: 'http://127.0.0.1:4999/' })
  const bad = [
    'http://example.com/',
    'https://example.com:22/',
    'https://user:secret@example.com/',
    'https://127.0.0.1/',
    'https://2130706433/',
    'https://0x7f000001/',
    'https://[::ffff:127.0.0.1]/',
    'https://localhost/',
    'https://db.internal/',
    'https://169.254.169.254/latest/meta-data',
    'https:// example.com/',
    `https://example.com/${'a'.repeat(2_100)}`,
    'ftp://example.com/',
    'https://',
  ]
  const { id } = await createWebhook(test, organization)
  for (const given of bad) {
    const created = await call(app, `POST ${path}`, { as: admin, body: { ...body, url: given } })
    t.match(created.body, { status: 422, code: 'validation_failed', errors: [{ pointer: '#/url' }] }, given)
    const updated = await call(app, `PATCH /webhooks/${id}`, { as: admin, body: { url: given } })
    t.match(updated.body, { status: 422, errors: [{ pointer: '#/url' }] }, given)
  }
  t.equal((await call(app, `GET /webhooks/${id}`, { as: admin })).body.url, 'https://example.com/hooks')
})

t.test('a filter names types of events of an organization, and an unknown one is refused with the list', async t => {
  for (const eventTypes of [['*'], ['task.*', 'comment.created'], ['webhook.disabled'], ['organization.updated']])
    t.same((await createWebhook(test, organization, { eventTypes })).eventTypes, eventTypes)
  for (const bad of ['task', 'task.', '*.created', 'task.creatd', 'tasks.*', 'user.registered', 'session.*', '']) {
    const { body: problem } = await call(app, `POST ${path}`, { as: admin, body: { ...body, eventTypes: [bad] } })
    t.match(problem, { status: 422, errors: [{ pointer: '#/eventTypes/0' }] }, bad)
    t.match(problem.errors[0].detail, /task\.created/)
  }
  for (const eventTypes of [[], ['task.*', 'task.*']])
    t.equal((await call(app, `POST ${path}`, { as: admin, body: { ...body, eventTypes } })).status, 422)
})

t.test('an organization has at most 50 webhooks, however many are created at once', async t => {
  const crowded = await createOrganization(test)
  const create = () => call(app, `POST /organizations/${crowded.id}/webhooks`, { as: crowded.admin, body })
  const answers = []
  for (let round = 0; round < 6; round++) answers.push(...(await Promise.all(Array.from({ length: 10 }, create))))
  const made = answers.filter(({ status }) => status === 201)
  t.equal(made.length, 50)
  const refused = answers.filter(({ status }) => status !== 201)
  t.same([...new Set(refused.map(answer => answer.body.code))], ['webhook_limit_reached'])
  t.equal((await sql('select from webhooks where organization_id = $1', [crowded.id])).length, 50)
  t.equal(
    (await sql(`select from events where type = 'webhook.created' and organization_id = $1`, [crowded.id])).length,
    50,
  )
  await call(app, `DELETE /webhooks/${made[0]?.body.id}`, { as: crowded.admin })
  t.equal((await create()).status, 201, 'one that is deleted makes room')
})

t.test('disabling cancels what is to be sent; enabling forgets the failures', async t => {
  const { id } = await createWebhook(test, organization)
  const eventIds = await Promise.all([1, 2, 3].map(() => insertEvent(test, organization.id, 'task.created')))
  await insertDelivery(test, id, eventIds[0] as string)
  await insertDelivery(test, id, eventIds[1] as string, 'delivered')
  const other = await createWebhook(test, organization)
  await insertDelivery(test, other.id, eventIds[2] as string)
  await sql(`update webhooks set failure_count = 7, blocked_until = now() + interval '1 hour' where id = $1`, [id])

  const off = await call(app, `PATCH /webhooks/${id}`, { as: admin, body: { enabled: false } })
  t.match(off.body, { enabled: false, disabledReason: 'manual', disabledAt: /Z$/ })
  const again = await call(app, `PATCH /webhooks/${id}`, { as: admin, body: { enabled: false, description: 'x' } })
  t.equal(again.body.disabledAt, off.body.disabledAt, 'since when it is disabled stays')
  const states = async (webhookId: string) =>
    (await call(app, `GET /webhooks/${webhookId}/deliveries?sort=createdAt`, { as: admin })).body.data.map(
      ({ state, nextAttemptAt }: { state: string; nextAttemptAt: string | null }) => [state, nextAttemptAt !== null],
    )
  t.same(await states(id), [
    ['cancelled', false],
    ['delivered', false],
  ])
  t.same(await states(other.id), [['pending', true]])

  const on = await call(app, `PATCH /webhooks/${id}`, { as: admin, body: { enabled: true } })
  t.match(on.body, { enabled: true, disabledReason: null, disabledAt: null })
  const [row] = await sql('select failure_count, blocked_until from webhooks where id = $1', [id])
  t.same(row, { failure_count: 0, blocked_until: null })
})

t.test('a webhook is deleted with its deliveries, and with its organization at once', async t => {
  const own = await createOrganization(test)
  const [first, second] = [await createWebhook(test, own), await createWebhook(test, own)]
  const eventId = await insertEvent(test, own.id, 'task.created')
  for (const { id } of [first, second]) await insertDelivery(test, id, eventId)
  t.equal((await call(app, `DELETE /webhooks/${first.id}`, { as: own.admin })).status, 204)
  t.same(await sql('select webhook_id from deliveries where event_id = $1', [eventId]), [{ webhook_id: second.id }])
  t.equal((await call(app, `DELETE /organizations/${own.id}`, { as: own.owner })).status, 202)
  t.equal((await sql('select from webhooks where organization_id = $1', [own.id])).length, 0)
  t.equal((await sql('select from deliveries where organization_id = $1', [own.id])).length, 0)
})

t.test('members may not see webhooks, a key needs the scope, and the creator is a user or nobody', async t => {
  const { id, createdBy } = await createWebhook(test, organization)
  t.equal(createdBy, admin.id)
  t.equal((await call(app, `GET /webhooks/${id}`, { as: organization.member })).status, 403)
  const key = await createKey(test, organization.id, 'webhooks:write')
  const made = await call(app, `POST ${path}`, { as: key, body })
  t.match(made.body, { createdBy: null })
  t.equal((await call(app, `GET /webhooks/${id}`, { as: key })).status, 403)
})
