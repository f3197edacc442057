import { get } from 'node:http'
import t, { type Test } from 'tap'
import { createKey } from '../../helpers/actors.ts'
import { anotherNode, listen, testApp } from '../../helpers/app.ts'
import { type Credentials, call } from '../../helpers/call.ts'
import { createProject } from '../../helpers/factories.ts'
import { openSocket, RawSocket, ticketFor } from '../../helpers/live.ts'
import { eventually } from '../../helpers/mail.ts'
import { createTenant, postTask, type Tenant } from './tenant.ts'

const ORIGIN = 'https://app.example.com'
const test = await testApp(t, { corsOrigins: [ORIGIN] })
const { app, sql } = test
const other = await anotherNode(t, test)
const base = await listen(app)
const elsewhere = await listen(other)

const tenant = () => createTenant(test)
const create = (tenant: Tenant, title?: string) => postTask(test, tenant, title)
const open = (t: Test, as: Credentials, at = base) => openSocket(t, { app, base: at, as })

async function refused(ticket: string, headers: Record<string, string> = {}) {
  const socket = new RawSocket(base, ticket, headers)
  await socket.settled()
  socket.ws.terminate()
  return { status: socket.status, code: socket.problem && JSON.parse(socket.problem).code }
}

t.test('a ticket opens one socket, on any node, for 30 seconds', async t => {
  const { admin } = await tenant()
  const answer = await call(app, 'POST /realtime/ticket', { as: admin })
  t.equal(answer.status, 200)
  t.equal(answer.headers['cache-control'], 'no-store')
  const leftMs = Date.parse(answer.body.expiresAt) - Date.now()
  t.ok(leftMs > 0 && leftMs <= 30_000)
  const [{ kept }] = await sql(`select count(*)::int as kept from tokens where purpose = 'realtime' and hash = $1`, [
    Buffer.from(answer.body.ticket),
  ])
  t.equal(kept, 0, 'it is stored hashed')
  const socket = new RawSocket(elsewhere, answer.body.ticket)
  t.teardown(() => socket.ws.terminate())
  await socket.got('welcome')
  t.same(await refused(answer.body.ticket), { status: 401, code: 'ticket_invalid' }, 'once')
  const late = await ticketFor(app, admin)
  await sql(`update tokens set expires_at = now() - interval '1 second' where purpose = 'realtime'`)
  t.same(await refused(late), { status: 401, code: 'ticket_invalid' }, 'expired')
  t.same(await refused('invented'), { status: 401, code: 'ticket_invalid' })
})

t.test('a ticket of an ended session or a revoked key opens nothing', async t => {
  const { id, admin, owner } = await tenant()
  const key = await createKey(test, id, 'events:read')
  const tickets = [await ticketFor(app, admin), await ticketFor(app, key)]
  await call(app, 'POST /auth/logout', { as: admin })
  await call(app, `DELETE /organizations/${id}/api-keys/${key.id}`, { as: owner })
  await eventually(async () => app.revocations.has(admin.sessionId), 'the end is known')
  for (const ticket of tickets) t.same(await refused(ticket), { status: 401, code: 'ticket_invalid' })
})

t.test('a page of another origin is refused; a listed one and programs without an origin are not', async t => {
  const { admin } = await tenant()
  const evil = await refused(await ticketFor(app, admin), { origin: 'https://evil.example.com' })
  t.same(evil, { status: 403, code: 'origin_refused' })
  const socket = new RawSocket(base, await ticketFor(app, admin), { origin: ORIGIN })
  t.teardown(() => socket.ws.terminate())
  await socket.got('welcome')
})

t.test('a request that asks for no upgrade is 426, and an upgrade elsewhere is an ordinary request', async t => {
  const { admin } = await tenant()
  const plain = await call(app, `GET /realtime?ticket=${await ticketFor(app, admin)}`)
  t.match(plain, { status: 426, headers: { upgrade: 'websocket' }, body: { code: 'upgrade_required' } })
  const headers = { connection: 'Upgrade', upgrade: 'websocket' }
  const { promise, resolve } = Promise.withResolvers<number | undefined>()
  get(`${base}/health/live`, { headers }, answer => resolve(answer.resume().statusCode))
  t.equal(await promise, 200)
})

t.test('each topic has what concerns it, in the order of the feed, on every node', async t => {
  const organization = await tenant()
  const { id, projectId, admin, member, viewer } = organization
  const first = await create(organization)
  const feed = async () => (await call(app, `GET /events?organizationId=${id}`, { as: admin })).body.data
  await eventually(async () => (await feed()).length === 1, 'what is before the sockets is settled')
  const [whole, project, task] = [await open(t, admin), await open(t, viewer, elsewhere), await open(t, member)]
  await whole.subscribe(`organization:${id}`)
  await project.subscribe(`project:${projectId}`)
  await task.subscribe(`task:${first}`)
  const second = await create(organization, 'a "quoted" \u2028 title')
  const { body: comment } = await call(app, `POST /tasks/${first}/comments`, { as: member, body: { body: 'Hello' } })
  const elsewhereId = await createProject(test, { organizationId: id })
  await create({ ...organization, projectId: elsewhereId })
  await call(app, `DELETE /tasks/${first}`, { as: member })
  await whole.has(4)
  await project.has(2)
  await task.has(2)
  t.same(
    whole.events.map(({ event }) => event),
    (await feed()).slice(1),
    'as the feed has it',
  )
  t.same(project.targets, [second, first], 'the project has its tasks')
  t.same(task.targets, [comment.id, first], 'the task its comments, and its end')
})

t.test('a viewer is told of work and not of people and keys; an admin and a key of all', async t => {
  const { id, projectId, owner, viewer, member, ...rest } = await tenant()
  const key = await createKey(test, id, 'events:read')
  const sockets = [await open(t, viewer), await open(t, owner), await open(t, key)]
  for (const socket of sockets) await socket.subscribe(`organization:${id}`)
  await call(app, `PATCH /organizations/${id}/members/${member.id}`, { as: owner, body: { role: 'admin' } })
  await create({ id, projectId, owner, viewer, member, ...rest })
  for (const socket of sockets) await socket.has(1)
  await sockets[1]?.has(2)
  await sockets[2]?.has(2)
  t.same(
    sockets.map(({ events }) => events.map(({ event }) => event.type)),
    [['task.created'], ['member.updated', 'task.created'], ['member.updated', 'task.created']],
  )
})

t.test('what belongs to another tenant is not found, and nothing of it comes', async t => {
  const [mine, theirs] = [await tenant(), await tenant()]
  const taskId = await create(theirs)
  const key = await createKey(test, mine.id, 'events:read')
  for (const as of [mine.owner, key]) {
    const socket = await open(t, as)
    const topics = [`organization:${theirs.id}`, `project:${theirs.projectId}`, `task:${taskId}`, `planet:${taskId}`]
    for (const topic of topics) socket.send({ type: 'subscribe', topic })
    await socket.got('error', topics.length)
    t.ok(socket.messages.slice(1).every(message => message.type === 'error' && message.code === 'not_found'))
    await socket.subscribe(`organization:${mine.id}`)
    await create(theirs)
    const id = await create(mine)
    await socket.has(1)
    t.same(socket.targets, [id])
  }
})

t.test('a message that is sent with the upgrade is answered', async t => {
  const { id, admin } = await tenant()
  for (let n = 0; n < 5; n++) {
    const socket = new RawSocket(base, await ticketFor(app, admin))
    t.teardown(() => socket.ws.terminate())
    socket.ws.on('open', () => socket.send({ type: 'subscribe', topic: `organization:${id}` }))
    socket.ws.on('open', () => socket.send({ type: 'ping' }))
    await socket.got('pong')
    t.same(
      socket.messages.map(({ type }) => type),
      ['welcome', 'subscribed', 'pong'],
    )
  }
})
