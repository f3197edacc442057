import pg from 'pg'
import t from 'tap'
import { Database } from '../../src/database/client.ts'
import { EpochKeeper } from '../../src/events/epoch.ts'
import { newId } from '../../src/lib/ids.ts'
import { createOrganization } from '../helpers/actors.ts'
import { testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'
import { createDatabase } from '../helpers/database.ts'
import { createProject } from '../helpers/factories.ts'
import { eventually } from '../helpers/mail.ts'

const test = await testApp(t)
const { app, sql, config } = test
const { id: organizationId, admin, member } = await createOrganization(test)
const projectId = await createProject(test, { organizationId })
const create = () => call(app, `POST /projects/${projectId}/tasks`, { as: member, body: { title: 'Task' } })
const ready = async () => call(app, 'GET /health/ready')
const begin = async () => (await sql('select begin_event_epoch() as begun'))[0].begun

async function session(): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: config.databaseUrl })
  await client.connect()
  t.teardown(() => client.end().catch(() => {}))
  return client
}

/** Puts the database in the state after a move to another server: no epoch of this server has begun. */
const FORGET = `update event_epoch set server_started_at = '-infinity';
  create or replace function event_position() returns xid8 language sql as 'select refuse_event()'`

t.test('a copy of the database on the same server goes on in the same epoch', async t => {
  t.equal(await begin(), false)
})

t.test('the log says it once when an epoch begins', async t => {
  const { url, drop } = await createDatabase()
  t.teardown(drop)
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(FORGET)
  const said: string[] = []
  const keeper = new EpochKeeper({ info: (_, line) => said.push(line), warn: (_, line) => said.push(line) })
  await keeper.prepare(client)
  await keeper.prepare(client)
  t.same(said, ['the event log began an epoch: the database server is another one or was restarted'])
  await client.end()
})

t.test('while no epoch of the server can begin, writes are 503, readiness says why, and reads work', async t => {
  const said: string[] = []
  const log = { info: (_: object, line: string) => said.push(line), warn: (_: object, line: string) => said.push(line) }
  // Copied rows keep their positions, which other sessions cannot see before the copy is committed.
  const copying = await session()
  await copying.query('begin')
  await copying.query(
    `insert into events (id, position, type, actor_type, target_type, target_id, data)
      values ($1, '1', 'test.copied', 'system', 'test', $1, '{}')`,
    [newId()],
  )
  await sql(FORGET)
  const keeper = new EpochKeeper(log)
  const database = new Database({
    url: config.databaseUrl,
    pool: 1,
    fastPath: true,
    log,
    prepare: client => keeper.prepare(client),
  })
  await database.open()
  t.teardown(() => database.close())
  t.match(new Set(said), new Set(['the event log has no epoch of this database server, will repeat']))
  const refused = await create()
  t.match(refused, { status: 503, body: { code: 'database_unavailable' } })
  t.ok(refused.headers['retry-after'])
  t.match(await ready(), { status: 503, body: { detail: 'the event log has no epoch of this database server yet' } })
  t.equal((await call(app, `GET /events?organizationId=${organizationId}`, { as: admin })).status, 200)

  await copying.query('commit')
  keeper.watch(database)
  t.teardown(() => keeper.stop())
  await eventually(async () => (await ready()).status === 200, 'an epoch begins')
  t.equal((await create()).status, 201)
})

t.test('of all who notice at once one begins the epoch', async t => {
  await sql(FORGET)
  const sessions = await Promise.all(Array.from({ length: 6 }, session))
  const answers = await Promise.all(sessions.map(client => client.query('select begin_event_epoch() as begun')))
  // The app also checks the epoch and may have begun it first.
  t.ok(answers.filter(({ rows }) => rows[0].begun).length <= 1)
  t.equal(await begin(), false)
})

t.test('a role that may only read and write rows begins an epoch too', async t => {
  const role = `lintel_${newId().replaceAll('-', '')}`
  const client = await session()
  await client.query(
    `create role ${role}; grant select, insert, update, delete on all tables in schema public to ${role}`,
  )
  await client.query(FORGET)
  await client.query(`set role ${role}`)
  await client.query('select begin_event_epoch()')
  const insert = `insert into events (id, type, actor_type, target_type, target_id, data)
    values ($1, 'test.happened', 'system', 'test', $1, '{}')`
  t.equal((await client.query(insert, [newId()])).rowCount, 1)
  await client.query(`reset role; drop owned by ${role}; drop role ${role}`)
})

t.test('a reader who follows while epochs begin among writes misses and repeats nothing', async t => {
  const EPOCHS = 12
  const WRITERS = 6
  const written: string[] = []
  let over = false
  const writers = Array.from({ length: WRITERS }, async () => {
    while (!over) {
      const { status, body } = await create()
      if (status === 201) written.push(body.id)
    }
  })
  const seen: string[] = []
  let cursor = ''
  const read = async () => {
    const page = await call(app, `GET /events?organizationId=${organizationId}&limit=100${cursor}`, { as: admin })
    cursor = `&cursor=${page.body.meta.nextCursor}`
    seen.push(...page.body.data.map(({ target }: { target: { id: string } }) => target.id))
  }
  const begun = new Set<string>()
  for (let epoch = 0; epoch < EPOCHS; epoch++) {
    // Ends the epoch while transactions still write in it: readers must not skip their events.
    await sql(`update event_epoch set server_started_at = '-infinity'`)
    await begin()
    begun.add((await sql('select begun_at::text as at from event_epoch'))[0].at)
    await read()
  }
  over = true
  await Promise.all(writers)
  await eventually(async () => {
    await read()
    return written.every(id => seen.includes(id))
  }, 'all that was written')
  t.equal(begun.size, EPOCHS, 'each epoch is another one')
  t.equal(new Set(seen).size, seen.length, 'nothing twice')
})

t.test('events that are loaded with positions above the own ones end the epoch', async t => {
  const above = `(select (max(position)::text::bigint + 1000000000)::text::xid8 from events)`
  await sql(
    `insert into events (id, position, type, organization_id, actor_type, target_type, target_id, data)
      select $1, ${above}, 'test.loaded', $2, 'system', 'test', $1, '{}'`,
    [newId(), organizationId],
  )
  await eventually(async () => (await ready()).status === 200, 'an epoch begins')
  const { body } = await create()
  const newest = await call(app, `GET /organizations/${organizationId}/events?limit=2`, { as: admin })
  t.match(newest.body.data, [{ target: { id: body.id } }, { type: 'test.loaded' }], 'what is new lies above')
})
