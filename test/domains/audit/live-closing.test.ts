import t, { type Test } from 'tap'
import { createKey, createOrganization } from '../../helpers/actors.ts'
import { anotherNode, listen, testApp } from '../../helpers/app.ts'
import { type Credentials, call } from '../../helpers/call.ts'
import { createProject } from '../../helpers/factories.ts'
import { openSocket, RawSocket, ticketFor } from '../../helpers/live.ts'
import { eventually } from '../../helpers/mail.ts'
import { promised } from '../../helpers/promised.ts'
import { accessEndings, type Ending } from './endings.ts'
import { insertEvents, postProject } from './tenant.ts'

/** A socket that is not closed at all stays open for minutes. */
const ACCESS_BOUND_MS = promised(5_000, 30_000)
const BOUND_MS = 30_000
const OF_ONE_PRINCIPAL = 20
const TOPICS = 50
/** 30 MB, far more than the buffers of a socket. */
const EVENTS = 3_000
/** Ends the access to events of people and keys, and not the access to the rest. */
const SMALLER_ROLE = 'a smaller role'
/** More messages than a client may send at once. */
const FLOOD = 200

const test = await testApp(t)
const { app } = test
const other = await anotherNode(t, test)
const elsewhere = await listen(other)
const endings = await accessEndings(test)

const open = (t: Test, as: Credentials, at = elsewhere) => openSocket(t, { app, base: at, as })
const create = (organizationId: string, as: Credentials) => postProject(test, organizationId, as)

/** Opens a socket whose access `end` ends, and a second one that must stay open unless the organization is deleted. */
async function ends(t: Test, { name, byKey, end }: Ending): Promise<void> {
  const organization = await createOrganization(test)
  const { id, admin, owner } = organization
  const as = byKey ? await createKey(test, id, 'events:read') : admin
  const [socket, kept] = [await open(t, as), await open(t, owner)]
  for (const each of [socket, kept]) await each.subscribe(`organization:${id}`)
  const { status } = await end(organization, as)
  t.ok(status < 300, `${name}: ${status}`)
  t.ok((await socket.closesWithin(BOUND_MS)) < ACCESS_BOUND_MS, `${name} closes it`)
  const expected = name.includes('organization') || name === 'a removal' ? [4401, 4403] : [4401]
  t.ok(expected.includes(socket.closed?.code as number), `${name}: ${socket.closed?.code}`)
  if (name.includes('organization')) return
  t.equal(kept.closed, null, 'who keeps the access keeps the socket')
  const seen = kept.events.length
  await create(id, owner)
  await kept.has(seen + 1)
}

t.test('whatever ends somebody’s access closes the sockets on another node', async t => {
  await Promise.all(endings.filter(({ name }) => name !== SMALLER_ROLE).map(ending => ends(t, ending)))
})

t.test('an admin who becomes a member keeps the socket, and is told of work only', async t => {
  const organization = await createOrganization(test)
  const { id, admin, owner } = organization
  const [socket, kept] = [await open(t, admin), await open(t, owner)]
  for (const each of [socket, kept]) await each.subscribe(`organization:${id}`)
  await endings.find(({ name }) => name === SMALLER_ROLE)?.end(organization, admin)
  await create(id, owner)
  await kept.has(2)
  await socket.has(1)
  t.same(
    socket.events.map(({ event }) => event.type),
    ['project.created'],
  )
})

t.test('nothing that happens after the end of somebody’s membership reaches them', async t => {
  const { id, admin, owner } = await createOrganization(test)
  const [socket, kept] = [await open(t, admin), await open(t, owner)]
  for (const each of [socket, kept]) await each.subscribe(`organization:${id}`)
  await call(app, `DELETE /organizations/${id}/members/${admin.id}`, { as: owner })
  for (let n = 0; n < 5; n++) await create(id, owner)
  await kept.has(6)
  await socket.closesWithin(BOUND_MS)
  t.same(socket.events, [])
})

t.test('what is no message closes the socket, and harms nobody else', async t => {
  const { id, admin, member } = await createOrganization(test)
  const kept = await open(t, member)
  await kept.subscribe(`organization:${id}`)
  const bad: (string | Buffer)[] = [
    'nonsense',
    '',
    'null',
    '[]',
    '{"type":"subscribe"}',
    '{"type":"welcome","heartbeatMs":1}',
    '{"type":"ping","also":1}',
    `{"type":"subscribe","topic":"organization:${id}","after":7}`,
    `{"type":"subscribe","topic":"organization:${id.toUpperCase()}\\u0000"}`,
    '{"type":"__proto__"}',
    Buffer.from('{"type":"ping"}'),
  ]
  for (const message of bad) {
    const socket = await open(t, admin)
    socket.ws.send(message)
    await socket.closesWithin(BOUND_MS)
    t.equal(socket.closed?.code, 4400, String(message))
  }
  const large = await open(t, admin)
  large.ws.send(JSON.stringify({ type: 'ping', padding: 'x'.repeat(100_000) }))
  await large.closesWithin(BOUND_MS)
  t.equal(large.closed?.code, 1009, 'too large')
  await create(id, admin)
  await kept.has(1)
})

t.test('a client that sends too many messages is closed', async t => {
  const { admin } = await createOrganization(test)
  const socket = await open(t, admin)
  for (let n = 0; n < FLOOD; n++) socket.send({ type: 'ping' })
  await socket.closesWithin(BOUND_MS)
  t.equal(socket.closed?.code, 4429)
})

t.test('a principal has a bounded number of sockets, and each a bounded number of topics', async t => {
  const { id, admin, member } = await createOrganization(test)
  const projectId = await createProject(test, { organizationId: id })
  const items = Array.from({ length: TOPICS + 1 }, (_, n) => ({ title: `Task ${n}` }))
  const { body } = await call(app, `POST /projects/${projectId}/tasks/bulk`, { as: member, body: { tasks: items } })
  const sockets = await Promise.all(Array.from({ length: OF_ONE_PRINCIPAL }, () => open(t, admin)))
  const refused = new RawSocket(elsewhere, await ticketFor(app, admin))
  await refused.settled()
  t.equal(refused.status, 429)
  t.equal(JSON.parse(refused.problem).code, 'too_many_sockets')
  t.equal((await open(t, member)).status, 101, 'another principal is let in')
  sockets[0]?.ws.terminate()
  await eventually(async () => other.sockets.size <= OF_ONE_PRINCIPAL + 1, 'a place is free')
  const [socket] = sockets.slice(1) as [RawSocket]
  for (const { id: taskId } of body.data) {
    socket.send({ type: 'subscribe', topic: `task:${taskId}` })
    await eventually(
      async () => socket.messages.some(message => 'topic' in message && message.topic === `task:${taskId}`),
      'an answer',
    )
  }
  t.match(socket.messages.at(-1), { type: 'error', code: 'too_many_topics' })
  t.equal(socket.messages.filter(({ type }) => type === 'subscribed').length, TOPICS)
})

t.test('a client that reads nothing is cut off, and what it was sent is bounded', async t => {
  const { id, admin, member } = await createOrganization(test)
  const projectId = await createProject(test, { organizationId: id })
  const [slow, kept] = [await open(t, admin), await open(t, member)]
  for (const each of [slow, kept]) await each.subscribe(`project:${projectId}`)
  slow.ws.pause()
  const before = other.sockets.size
  await insertEvents(test, { id, projectId }, { count: EVENTS, characters: 10_000 })
  await kept.has(EVENTS)
  await eventually(async () => other.sockets.size < before, 'the slow one is cut off')
  slow.ws.resume()
  await slow.closesWithin(BOUND_MS)
  t.ok([1006, 4413].includes(slow.closed?.code as number), `with ${slow.closed?.code}`)
  t.equal(kept.closed, null)
})

t.test('a process that stops tells its clients to come back', async t => {
  const { admin } = await createOrganization(test)
  const node = await anotherNode(t, test)
  const socket = await open(t, admin, await listen(node))
  await node.close()
  await socket.closesWithin(BOUND_MS)
  t.equal(socket.closed?.code, 1012)
})
