import t from 'tap'
import { createOrganization } from '../helpers/actors.ts'
import { anotherNode, testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'
import { type CollectedSpan, spansOf, tracingTo } from '../helpers/collector.ts'
import { createProject, createTask } from '../helpers/factories.ts'
import { eventually } from '../helpers/mail.ts'
import { createWebhook, DISPATCHING, receiver } from '../helpers/webhooks.ts'

interface Test {
  teardown(done: () => Promise<void>): void
}

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PARENT = '00f067aa0ba902b7'
const DONE = `select 1 from jobs.job where name = 'organizations.invitation_mail' and state = 'completed'`
const traceparent = `00-${TRACE}-${PARENT}-01`

const test = await testApp(t)

/** Runs `work` on a node that records all, and returns the spans that a collector has when the node has stopped. */
async function recorded(t: Test, work: (app: Awaited<ReturnType<typeof anotherNode>>) => Promise<unknown>, more = {}) {
  const collector = await receiver(t)
  const app = await anotherNode(t, test, { ...DISPATCHING, ...tracingTo(collector.url), ...more })
  await work(app)
  await app.close()
  return { spans: spansOf(collector.received), received: collector.received }
}

const named = (spans: CollectedSpan[], name: string | RegExp) =>
  spans.filter(span => (typeof name === 'string' ? span.name === name : name.test(span.name)))

t.test('a request, its statements, its jobs and its webhooks are one trace', async t => {
  const { id, owner } = await createOrganization(test)
  const to = await receiver(t)
  await createWebhook(test, { organizationId: id, url: to.url, eventTypes: ['invitation.created'] })
  const { spans, received } = await recorded(t, async app => {
    const body = { email: 'guest-of-traces@example.com', role: 'member' }
    const headers = { traceparent, 'x-secret': 'CANARY' }
    const { status } = await call(app, `POST /organizations/${id}/invitations`, { as: owner, body, headers })
    t.equal(status, 201)
    await eventually(async () => to.received.length === 1, 'the delivery')
    await eventually(async () => (await test.sql(DONE)).length > 0, 'the mail')
  })
  const [request] = named(spans, 'POST /api/v1/organizations/:id/invitations')
  t.match(request, {
    traceId: TRACE,
    parentSpanId: PARENT,
    kind: 2,
    attributes: { 'http.request.method': 'POST', 'http.response.status_code': 201 },
    failed: false,
  })
  const [transaction] = named(spans, 'transaction').filter(({ parentSpanId }) => parentSpanId === request?.spanId)
  const statements = spans.filter(({ parentSpanId }) => parentSpanId === transaction?.spanId)
  t.ok(statements.length > 0, 'statements in the transaction')
  for (const { kind, attributes } of statements) t.match([kind, attributes], [3, { 'db.system.name': 'postgresql' }])
  const [job] = named(spans, 'job organizations.invitation_mail')
  t.match(job, { traceId: TRACE, parentSpanId: request?.spanId, kind: 5 })
  const [webhook] = named(spans, 'POST webhook')
  t.match(webhook, {
    traceId: TRACE,
    parentSpanId: request?.spanId,
    kind: 3,
    attributes: { 'server.address': '127.0.0.1' },
  })
  t.equal(
    to.received[0]?.headers.traceparent,
    `00-${TRACE}-${webhook?.spanId}-01`,
    'the receiver goes on with the trace',
  )
  const sent = received.map(({ body }) => body).join()
  for (const secret of ['guest-of-traces', 'CANARY', owner.headers.authorization, id])
    t.notMatch(sent, secret, 'no value of a caller leaves')
})

t.test('a read that is recorded shares its statement with no other', async t => {
  const { id, member } = await createOrganization(test)
  const taskId = await createTask(test, { projectId: await createProject(test, { organizationId: id }) })
  const COUNT = 20
  const { spans } = await recorded(t, async app => {
    await Promise.all(Array.from({ length: COUNT }, () => call(app, `GET /tasks/${taskId}`, { as: member })))
  })
  const requests = named(spans, 'GET /api/v1/tasks/:id')
  t.equal(requests.length, COUNT)
  t.equal(new Set(requests.map(({ traceId }) => traceId)).size, COUNT, 'a trace for each')
  for (const { spanId } of requests)
    t.ok(
      spans.some(({ name, parentSpanId }) => parentSpanId === spanId && name.startsWith('tasks.')),
      'a statement',
    )
})

t.test('a request that fails is a span that failed, and one that is refused is not', async t => {
  const { outsider } = await createOrganization(test)
  const { spans } = await recorded(t, async app => {
    await call(app, 'GET /tasks/01990000-0000-7000-8000-000000000000', { as: outsider })
    app.database.run = () => Promise.reject(new Error('broken'))
    await call(app, 'GET /organizations', { as: outsider })
  })
  t.match(named(spans, 'GET /api/v1/tasks/:id'), [{ failed: false, attributes: { 'http.response.status_code': 404 } }])
  t.match(named(spans, 'GET /api/v1/organizations'), [
    { failed: true, attributes: { 'http.response.status_code': 500 } },
  ])
})

t.test('the sampler decides what is recorded, and a trace that is not recorded is still passed on', async t => {
  const { id, owner } = await createOrganization(test)
  const to = await receiver(t)
  await createWebhook(test, { organizationId: id, url: to.url, eventTypes: ['project.created'] })
  const collector = await receiver(t)
  const { tracing } = tracingTo(collector.url)
  const off = { tracing: tracing && { ...tracing, sampler: 'always_off' as const } }
  const app = await anotherNode(t, test, { ...DISPATCHING, ...off })
  await call(app, `POST /organizations/${id}/projects`, { as: owner, body: { name: 'x' }, headers: { traceparent } })
  await eventually(async () => to.received.length === 1, 'the delivery')
  await app.close()
  t.same(collector.received, [])
  t.match(to.received[0]?.headers.traceparent, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`))
})

t.test('a collector that is away or silent disturbs nobody, and a stop does not wait for it', async t => {
  const { member } = await createOrganization(test)
  const silent = await receiver(t, () => {})
  for (const url of ['http://127.0.0.1:1/', silent.url]) {
    const app = await anotherNode(t, test, tracingTo(url))
    t.equal((await call(app, 'GET /users/me', { as: member })).status, 200)
    const started = performance.now()
    await app.close()
    t.ok(performance.now() - started < 20_000, 'it stops')
  }
})
