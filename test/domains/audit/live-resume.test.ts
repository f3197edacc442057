import t, { type Test } from 'tap'
import { connect } from '../../faults/postgres.ts'
import { anotherNode, listen, testApp } from '../../helpers/app.ts'
import { type Credentials, call } from '../../helpers/call.ts'
import { openSocket } from '../../helpers/live.ts'
import { eventually } from '../../helpers/mail.ts'
import { createTenant, insertEvents, postTask, type Tenant } from './tenant.ts'

const test = await testApp(t)
const { app } = test
const base = await listen(app)
const elsewhere = await listen(await anotherNode(t, test))
/** The most missed events that are sent after a resume. */
const RESUMABLE = 10_000

const tenant = () => createTenant(test)
const create = (tenant: Tenant) => postTask(test, tenant)
const open = (t: Test, as: Credentials, at = base) => openSocket(t, { app, base: at, as })

/** Waits for the feed, which holds events back while an older transaction is open. */
const settled = ({ id, admin }: Tenant, count: number) =>
  eventually(
    async () =>
      (await call(app, `GET /events?organizationId=${id}&limit=100`, { as: admin })).body.data.length >= count,
    'the events are settled',
  )

t.test('a client that was cut off gets exactly what it missed, on another node, in order', async t => {
  const organization = await tenant()
  const topics = [`organization:${organization.id}`, `project:${organization.projectId}`]
  const before = await open(t, organization.member)
  for (const topic of topics) await before.subscribe(topic)
  const seen = [await create(organization), await create(organization)]
  await before.has(seen.length * topics.length)
  before.ws.terminate()
  const missed = [await create(organization), await create(organization), await create(organization)]
  const after = await open(t, organization.member, elsewhere)
  for (const topic of topics) await after.subscribe(topic, before.cursorOf(topic))
  const next = await create(organization)
  await after.has((missed.length + 1) * topics.length)
  for (const topic of topics) {
    const told = after.events.filter(event => event.topic === topic).map(({ event }) => event)
    t.same(
      told.map(event => (event as unknown as { target: { id: string } }).target.id),
      [...missed, next],
      topic,
    )
  }
  t.notOk(
    after.messages.some(({ type }) => type === 'resync'),
    'nothing is lost, so nothing is read again',
  )
})

t.test('a subscription without a cursor begins with what happens from then on', async t => {
  const organization = await tenant()
  await create(organization)
  await settled(organization, 1)
  const socket = await open(t, organization.member)
  await socket.subscribe(`organization:${organization.id}`)
  const id = await create(organization)
  await socket.has(1)
  t.same(socket.targets, [id])
})

t.test('what is unsubscribed is not told any more, and can be resumed on the same socket', async t => {
  const organization = await tenant()
  const topic = `project:${organization.projectId}`
  const [socket, other] = [await open(t, organization.member), await open(t, organization.member)]
  for (const each of [socket, other]) await each.subscribe(topic)
  socket.send({ type: 'unsubscribe', topic })
  await socket.got('unsubscribed')
  const missed = await create(organization)
  await other.has(1)
  t.equal(socket.events.length, 0)
  await socket.subscribe(topic, socket.cursorOf(topic))
  await socket.has(1)
  t.same(socket.targets, [missed])
})

t.test('a cursor of another organization or of nobody is answered by resync, and the topic goes on', async t => {
  const [mine, theirs] = [await tenant(), await tenant()]
  const stranger = await open(t, theirs.member)
  await stranger.subscribe(`organization:${theirs.id}`)
  const topic = `organization:${mine.id}`
  for (const cursor of [stranger.cursorOf(`organization:${theirs.id}`) as string, 'invented', '']) {
    const socket = await open(t, mine.member)
    await socket.subscribe(topic, cursor)
    t.match(await socket.got('resync'), { topic, reason: 'cursor_unknown' })
    const id = await create(mine)
    await eventually(async () => socket.targets.at(-1) === id, 'what happens next')
  }
})

t.test('a client that missed too much is told to read the state again, and gets what follows', async t => {
  const organization = await tenant()
  const topic = `project:${organization.projectId}`
  const before = await open(t, organization.member)
  await before.subscribe(topic)
  before.ws.terminate()
  await insertEvents(test, organization, { count: RESUMABLE + 1 })
  await settled(organization, 100)
  const after = await open(t, organization.member)
  await after.subscribe(topic, before.cursorOf(topic))
  t.match(await after.got('resync'), { topic, reason: 'too_old' })
  const id = await create(organization)
  await after.has(1)
  t.same(after.targets, [id])
})

t.test('events that an open transaction holds back are not counted as missed', async t => {
  const organization = await tenant()
  const topic = `project:${organization.projectId}`
  const before = await open(t, organization.member)
  await before.subscribe(topic)
  before.ws.terminate()
  const older = await connect(test.config.databaseUrl)
  t.teardown(() => older.end())
  await older.query('begin')
  await older.query('select pg_current_xact_id()')
  await insertEvents(test, organization, { count: RESUMABLE + 1 })
  const after = await open(t, organization.member)
  await after.subscribe(topic, before.cursorOf(topic))
  await older.query('commit')
  await after.has(RESUMABLE + 1)
  t.notOk(
    after.messages.some(({ type }) => type === 'resync'),
    'the events are sent, so nothing is read again',
  )
})
