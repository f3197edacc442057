import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import t, { type Test } from 'tap'
import { requestErrors } from '../../../src/lib/errors.ts'
import { newId } from '../../../src/lib/ids.ts'
import { createKey } from '../../helpers/actors.ts'
import { anotherNode, listen, testApp } from '../../helpers/app.ts'
import { type Credentials, call } from '../../helpers/call.ts'
import { EventStreamClient } from '../../helpers/event-stream.ts'
import { eventually } from '../../helpers/mail.ts'
import { recordStatements } from '../../helpers/statements.ts'
import { createTenant, postTask, type Tenant } from './tenant.ts'

const test = await testApp(t)
const { app, config } = test
const other = await anotherNode(t, test)
const base = await listen(app)
const elsewhere = await listen(other)
/** The interval at which a process polls for new events. */
const LOOK_MS = 250
/** A stopping process closes connections that are still open after this time. */
const CUT_OFF_MS = 10_000

const tenant = () => createTenant(test)
const create = (tenant: Tenant, title?: string) => postTask(test, tenant, title)

interface Opening {
  as?: Credentials
  at?: string
  cursor?: string
  lastEventId?: string
}
async function open(t: Test, { id, admin }: Tenant, { as = admin, at = base, ...from }: Opening = {}) {
  const stream = await EventStreamClient.open(at, { organizationId: id, as, ...from })
  t.teardown(stream.leave)
  return stream
}
t.test('a stream hands on what happens, as the feed has it, and its ids are the cursors of the feed', async t => {
  const organization = await tenant()
  const { id: organizationId, admin } = organization
  const key = await createKey(test, organizationId, 'events:read')
  const streams = [await open(t, organization), await open(t, organization, { as: key, at: elsewhere })]
  const ids = [await create(organization, 'a\nb\r\n\u2028: c'), await create(organization)]
  for (const stream of streams) {
    t.equal(stream.status, 200)
    t.match(stream.headers, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
      'content-encoding': undefined,
    })
    await stream.has(2)
    t.match(stream.text, /^retry: \d+\n/)
    t.same(stream.targets, ids)
    t.ok(stream.events.every(({ event }) => event === 'task.created'))
    const feed = async (cursor = '') =>
      (await call(app, `GET /events?organizationId=${organizationId}${cursor}`, { as: admin })).body.data
    t.same(
      stream.events.map(({ data }) => data),
      await feed(),
    )
    const [first] = stream.events
    t.match(await feed(`&cursor=${first?.id}`), [{ target: { id: ids[1] } }])
    t.equal((await feed(`&cursor=${stream.lastEventId}`)).length, 0)
  }
})

t.test('an event comes after its commit and not before, one that is rolled back never', async t => {
  const organization = await tenant()
  const stream = await open(t, organization)
  const client = new pg.Client({ connectionString: config.databaseUrl })
  await client.connect()
  t.teardown(() => client.end())
  const write = async (targetId = newId()) => {
    await client.query(
      `insert into events (id, type, organization_id, actor_type, target_type, target_id, data)
        values ($1, 'task.created', $2, 'system', 'task', $3, '{}')`,
      [newId(), organization.id, targetId],
    )
    return targetId
  }
  await client.query('begin')
  const slow = await write()
  const quick = await create(organization)
  await sleep(600)
  t.same(stream.targets, [], 'nothing passes the open transaction')
  await client.query('commit')
  await stream.has(2)
  await client.query('begin')
  await write()
  await client.query('rollback')
  const last = await create(organization)
  await stream.has(3)
  t.same(stream.targets, [slow, quick, last])
})

t.test(
  'a reader that is cut off again and again, on two nodes, while 8 clients write misses and repeats nothing',
  async t => {
    const organization = await tenant()
    let stream = await open(t, organization)
    const written: string[] = []
    const writers = Array.from({ length: 8 }, async () => {
      for (let n = 0; n < 20; n++) written.push(await create(organization))
    })
    const seen: string[] = []
    const reading = (async () => {
      for (let cut = 0; seen.length < 8 * 20; cut++) {
        await eventually(async () => stream.events.length > 0, 'something comes')
        stream.leave()
        seen.push(...stream.targets)
        const lastEventId = stream.lastEventId as string
        // An `EventSource` that was opened with a cursor in its URL keeps the cursor when it reconnects.
        stream = await open(t, organization, { at: cut % 2 ? base : elsewhere, lastEventId, cursor: organization.id })
      }
      return stream
    })()
    await Promise.all(writers)
    await reading
    t.same(seen.toSorted(), written.toSorted(), 'nothing missed, nothing twice')
    const { body } = await call(app, `GET /events?organizationId=${organization.id}&limit=100`, {
      as: organization.admin,
    })
    t.same(
      seen.slice(0, 100),
      body.data.map(({ target }: { target: { id: string } }) => target.id),
      'in order',
    )
  },
)

t.test('who was cut off before the first event misses nothing; a cursor of the feed goes on from there', async t => {
  const organization = await tenant()
  const first = await open(t, organization)
  await eventually(async () => first.lastEventId !== undefined, 'a place to go on from')
  first.leave()
  const id = await create(organization)
  const lastEventId = first.lastEventId as string
  const resumed = await open(t, organization, { lastEventId })
  await resumed.has(1)
  t.same(resumed.targets, [id])
  const byCursor = await open(t, organization, { cursor: lastEventId })
  await byCursor.has(1)
  t.same(byCursor.targets, [id])

  const stranger = await tenant()
  const foreign = await open(t, stranger, { lastEventId })
  t.equal(foreign.status, 400, 'a cursor belongs to its organization')
  t.equal((await open(t, organization, { lastEventId: 'nonsense' })).status, 400)
})

t.test('streams of one process share a look, and without a stream nobody looks', async t => {
  const node = await anotherNode(t, test)
  const at = await listen(node)
  const organization = await tenant()
  const seen = recordStatements(node)
  const looks = () => seen.filter(({ name }) => name === 'events.after')
  t.same(looks(), [])
  const places = [organization, organization, await tenant()]
  const streams = await Promise.all(places.map(place => open(t, place, { at })))
  const begun = performance.now()
  await sleep(600)
  const most = 2 + (performance.now() - begun) / LOOK_MS
  t.ok(looks().length <= most, `${looks().length} looks of three streams, not ${Math.round(most)} of each`)
  // Two streams of one organization that opened at different moments come to one place with their first looks.
  const placesOf = (look: ReturnType<typeof looks>[number] | undefined) => JSON.parse(String(look?.values[0] ?? '[]'))
  await eventually(async () => placesOf(looks().at(-1)).length === 2, 'each place is looked at once')
  for (const stream of streams) stream.leave()
  await eventually(async () => /^event_streams_open 0$/m.test(await node.metrics.metrics()), 'all are gone')
  await sleep(300)
  seen.length = 0
  await sleep(600)
  t.same(seen, [])
})

t.test('while the database is away a stream waits, and then goes on without a gap', async t => {
  const node = await anotherNode(t, test)
  const organization = await tenant()
  const stream = await open(t, organization, { at: await listen(node) })
  const ids = [await create(organization)]
  await stream.has(1)
  const run = node.database.run.bind(node.database)
  let failures = 0
  const failing = (name: string) => {
    node.database.run = query => {
      if (query.name !== name) return run(query)
      failures++
      return Promise.reject(requestErrors.database_unavailable())
    }
  }
  for (const [name, what] of [
    ['events.after', 'events'],
    ['access.organizations', 'who may read them'],
  ] as const) {
    failures = 0
    failing(name)
    ids.push(await create(organization))
    await eventually(async () => failures > 1, `${what} cannot be read`)
    t.equal(stream.events.length, ids.length - 1, `nothing comes while nobody can tell ${what}`)
    node.database.run = run
    await stream.has(ids.length)
  }
  t.same(stream.targets, ids)
  t.equal(stream.ending, null)
})

t.test('a process that stops ends its streams at once, in order, and opens no more', async t => {
  const node = await anotherNode(t, test)
  const at = await listen(node)
  const organization = await tenant()
  const stream = await open(t, organization, { at })
  const begun = performance.now()
  const closing = node.close()
  await eventually(async () => stream.ending !== null, 'it ends')
  t.equal(stream.ending, 'complete', 'no connection is cut')
  const refused = await open(t, organization, { at })
  t.equal(refused.status, 503)
  t.ok(refused.headers['retry-after'])
  await closing
  t.ok(performance.now() - begun < CUT_OFF_MS, 'nobody waits for them')
  const id = await create(organization)
  const resumed = await open(t, organization, { lastEventId: stream.lastEventId as string })
  await resumed.has(1)
  t.same(resumed.targets, [id], 'another process goes on')
})
