import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import t, { type Test } from 'tap'
import { Relay } from '../../src/events/relay.ts'
import { newId } from '../../src/lib/ids.ts'
import { connect } from '../faults/postgres.ts'
import { createOrganization, type TestOrganization } from '../helpers/actors.ts'
import { listen, testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'
import { EventStreamClient } from '../helpers/event-stream.ts'
import { openSocket } from '../helpers/live.ts'
import { eventually } from '../helpers/mail.ts'

const WRITERS = 32
const TRANSACTIONS = 12
/** Every so many transactions of a writer one is rolled back. */
const ROLLED_BACK = 5
/** The longest time between the insert of an event and its commit. */
const SLOW_MS = 100

const test = await testApp(t)
const { app, config, sql } = test
const base = await listen(app)

const insert = `insert into events (id, type, organization_id, actor_type, target_type, target_id, data)
  values ($1, 'project.updated', $2, 'system', 'project', $1, '{}')`

async function writer(t: Test): Promise<pg.Client> {
  const client = await connect(config.databaseUrl)
  t.teardown(() => client.end())
  return client
}

/** Writes events in transactions that stay open for a while; a few of them are rolled back. */
async function write(client: pg.Client, organizationId: string): Promise<void> {
  for (let n = 1; n <= TRANSACTIONS; n++) {
    await client.query('begin')
    await client.query(insert, [newId(), organizationId])
    await client.query('select pg_sleep($1)', [(Math.random() * SLOW_MS) / 1000])
    await client.query(insert, [newId(), organizationId])
    await client.query(n % ROLLED_BACK === 0 ? 'rollback' : 'commit')
  }
}

/** The events of an organization, as four kinds of readers were told them. */
interface Readers {
  feed: string[]
  stream(): string[]
  socket(): string[]
  subscriber: string[]
}

async function follow(t: Test, organization: TestOrganization, name: string): Promise<Readers> {
  const { id: organizationId, admin: as } = organization
  const subscriber: string[] = []
  const relay = new Relay(app.database, { warn() {} })
  relay.subscribe(name, async (_, events) => {
    subscriber.push(...events.filter(event => event.organizationId === organizationId).map(({ targetId }) => targetId))
  })
  relay.start()
  t.teardown(() => relay.stop())
  await eventually(async () => (await sql('select from event_cursors where subscriber = $1', [name])).length > 0, name)
  const stream = await EventStreamClient.open(base, { organizationId, as })
  t.teardown(stream.leave)
  const socket = await openSocket(t, { app, base, as })
  await socket.subscribe(`organization:${organizationId}`)
  const feed = readFeed(t, organization)
  return { feed, subscriber, stream: () => stream.targets, socket: () => socket.targets }
}

/** Reads the feed on and on by cursor, as a client does. */
function readFeed(t: Test, { id, admin }: TestOrganization): string[] {
  const seen: string[] = []
  let reading = true
  const read = async () => {
    for (let cursor = ''; reading; ) {
      const query = `organizationId=${id}&limit=100${cursor && `&cursor=${cursor}`}`
      const { body } = await call(app, `GET /events?${query}`, { as: admin })
      for (const { target } of body.data) seen.push(target.id)
      cursor = body.meta.nextCursor ?? cursor
      await sleep(10)
    }
  }
  const ended = read()
  t.teardown(() => {
    reading = false
    return ended
  })
  return seen
}

/** Checks that every reader was told all committed events once, in the order of the log. */
async function hasAll(t: Test, readers: Readers, organizationId: string): Promise<void> {
  const rows = await sql(
    `select target_id from events where organization_id = $1 and type = 'project.updated' order by position, seq`,
    [organizationId],
  )
  const order = rows.map((row: { target_id: string }) => row.target_id)
  const told = () => ({
    feed: readers.feed,
    stream: readers.stream(),
    socket: readers.socket(),
    subscriber: readers.subscriber,
  })
  await eventually(
    async () => Object.values(told()).every(targets => targets.length >= order.length),
    `${order.length} events`,
  )
  for (const [reader, targets] of Object.entries(told())) t.same(targets, order, `the ${reader}, ${order.length}`)
}

t.test('no reader ever skips an event of 32 writers whose commits are slow', async t => {
  const organization = await createOrganization(test)
  const readers = await follow(t, organization, 'order')
  const writers = await Promise.all(Array.from({ length: WRITERS }, () => writer(t)))
  await Promise.all(writers.map(client => write(client, organization.id)))
  await hasAll(t, readers, organization.id)
})

t.test('a transaction left open holds up what follows it, and nothing is lost or reordered when it ends', async t => {
  const organization = await createOrganization(test)
  const readers = await follow(t, organization, 'open')
  const [open, other] = [await writer(t), await writer(t)]
  await open.query('begin')
  const first = newId()
  await open.query(insert, [first, organization.id])
  for (let n = 0; n < 10; n++) await other.query(insert, [newId(), organization.id])
  await sleep(600)
  t.same([readers.feed, readers.stream(), readers.socket(), readers.subscriber], [[], [], [], []])
  await open.query('commit')
  await hasAll(t, readers, organization.id)
  t.equal(readers.feed[0], first)
})
