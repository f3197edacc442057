import { Webhook } from 'standardwebhooks'
import t from 'tap'
import { newSecret } from '../../../src/domains/webhooks/service/secrets.ts'
import { createOrganization } from '../../helpers/actors.ts'
import { call } from '../../helpers/call.ts'
import { eventually } from '../../helpers/mail.ts'
import { createTenant, createWebhook, dispatchingApp, publish, receiver, settled } from '../../helpers/webhooks.ts'

const test = await dispatchingApp(t)
const { sql } = test
const organizationId = await createTenant(test)

t.test('every event reaches the endpoint once, in the order of the log, signed for the public library', async t => {
  const to = await receiver(t)
  const { id, secret } = await createWebhook(test, { organizationId, url: to.url })
  const events = Array.from({ length: 25 }, (_, n) => ({ organizationId, data: { id: 'x', n, text: 'Łódź “\u2028”' } }))
  const ids = await publish(test, ...events)
  const rows = await settled(test, id, ids.length)
  t.same(
    rows.map(({ eventId }) => eventId),
    ids,
  )
  t.same(to.received.map(request => request.id).toSorted(), ids.toSorted(), 'each once')
  const [begun] = await sql(
    `select array_agg(event_id order by attempts->0->>'at', position, seq) = array_agg(event_id order by position, seq) as ordered
      from deliveries where webhook_id = $1`,
    [id],
  )
  t.ok(begun.ordered, 'attempts began in the order of the log')
  for (const { body, headers } of to.received) {
    const message = new Webhook(secret).verify(body, headers as Record<string, string>) as Record<string, unknown>
    t.same(Object.keys(message), ['type', 'timestamp', 'data'])
    t.equal(message.type, 'task.created')
    t.match(message.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
    t.equal((message.data as { text: string }).text, 'Łódź “\u2028”')
    t.equal(headers['content-type'], 'application/json')
    t.match(headers.traceparent, /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/)
  }
})

t.test('the trace of a request goes on to the webhooks of its events', async t => {
  const to = await receiver(t)
  const { id, owner } = await createOrganization(test)
  await createWebhook(test, { organizationId: id, url: to.url, eventTypes: ['project.created'] })
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  const headers = { traceparent: `00-${trace}-00f067aa0ba902b7-01` }
  await call(test.app, `POST /organizations/${id}/projects`, { as: owner, body: { name: 'Traced' }, headers })
  await eventually(async () => to.received.length === 1, 'the delivery')
  const [, sent, span, flags] = String(to.received[0]?.headers.traceparent).split('-')
  t.same([sent, flags], [trace, '01'])
  t.not(span, '00f067aa0ba902b7', 'with a span of its own')
})

t.test('an endpoint gets the types that it asks for, of its own organization', async t => {
  const to = await receiver(t)
  const { id: own, owner } = await createOrganization(test)
  const make = (path: string, ...eventTypes: string[]) =>
    createWebhook(test, { organizationId: own, url: `${to.url}${path}`, eventTypes })
  const [exact, family, all, tested] = [
    await make('exact', 'task.created'),
    await make('family', 'task.*'),
    await make('all', '*'),
    await make('tested', 'project.created'),
  ]
  await publish(
    test,
    { organizationId: own, type: 'task.created' },
    { organizationId: own, type: 'task.updated' },
    { organizationId: own, type: 'taskforce.created' },
    { organizationId: null, type: 'task.created' },
    { organizationId, type: 'task.created' },
  )
  t.equal((await call(test.app, `POST /webhooks/${tested.id}/test`, { as: owner })).status, 202)
  const counts = await Promise.all([
    settled(test, exact.id, 1),
    settled(test, family.id, 2),
    settled(test, all.id, 3),
    settled(test, tested.id, 1),
  ])
  t.same(
    counts.map(rows => rows.length),
    [1, 2, 3, 1],
  )
  const types = (path: string) =>
    to.received
      .filter(request => request.path === `/${path}`)
      .map(({ body }) => JSON.parse(body).type)
      .toSorted()
  t.same(types('exact'), ['task.created'])
  t.same(types('family'), ['task.created', 'task.updated'])
  t.same(types('all'), ['task.created', 'task.updated', 'taskforce.created'])
  t.same(types('tested'), ['webhook.tested'], 'a test goes to its own endpoint only')
})

t.test('while a secret is replaced both sign, and afterwards the old one does not', async t => {
  const to = await receiver(t)
  const { id, secret: before } = await createWebhook(test, { organizationId, url: to.url, eventTypes: ['rotation.*'] })
  const { shown: after, sealed } = newSecret(test.config.keyring, id)
  await sql(
    `update webhooks set previous_secret = secret, previous_secret_expires_at = now() + interval '1 day', secret = $2
      where id = $1`,
    [id, sealed],
  )
  await publish(test, { organizationId, type: 'rotation.one' })
  await settled(test, id, 1)
  await sql(`update webhooks set previous_secret_expires_at = now() - interval '1 second' where id = $1`, [id])
  await publish(test, { organizationId, type: 'rotation.two' })
  await settled(test, id, 2)
  const verify = (secret: string, at: number) => {
    const { body, headers } = to.received[at] as (typeof to.received)[0]
    return new Webhook(secret).verify(body, headers as Record<string, string>)
  }
  t.ok(verify(before, 0))
  t.ok(verify(after, 0))
  t.ok(verify(after, 1))
  t.throws(() => verify(before, 1))
  t.equal(String(to.received[1]?.headers['webhook-signature']).split(' ').length, 1)
})

t.test('an event that is no longer in the log fails with its reason, and the endpoint stays', async t => {
  const to = await receiver(t)
  const { id } = await createWebhook(test, { organizationId, url: to.url, eventTypes: ['never.*'] })
  await sql(
    `insert into deliveries (id, organization_id, webhook_id, event_id, position, seq, event_type)
      values (gen_random_uuid(), $1, $2, gen_random_uuid(), '1', 1, 'never.was')`,
    [organizationId, id],
  )
  const [delivery] = await settled(test, id, 1, 'failed')
  t.match(delivery?.attempts, [{ status: null, error: 'the event is no longer in the log' }])
  t.equal(to.received.length, 0)
  t.same(await sql('select enabled, failure_count from webhooks where id = $1', [id]), [
    { enabled: true, failure_count: 0 },
  ])
})
