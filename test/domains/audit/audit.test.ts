import pg from 'pg'
import t from 'tap'
import { newId } from '../../../src/lib/ids.ts'
import { createKey, createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { type Credentials, call } from '../../helpers/call.ts'
import { createProject } from '../../helpers/factories.ts'
import { eventually } from '../../helpers/mail.ts'

const test = await testApp(t)
const { app, sql, config } = test
const organization = await createOrganization(test)
const { member, admin, outsider } = organization
const projectId = await createProject(test, { organizationId: organization.id })
const create = async (title: string): Promise<string> =>
  (await call(app, `POST /projects/${projectId}/tasks`, { as: member, body: { title } })).body.id

interface Event {
  id: string
  type: string
  target: { id: string }
  createdAt: string
}

/** Reads the feed as a client does: from the last cursor until a page is empty. */
async function drain(as: typeof admin, from: string | null) {
  const targets: string[] = []
  let cursor = from
  for (;;) {
    const query = `limit=3&organizationId=${organization.id}${cursor ? `&cursor=${cursor}` : ''}`
    const { status, body } = await call(app, `GET /events?${query}`, { as })
    if (status !== 200) throw new Error(JSON.stringify(body))
    targets.push(...body.data.map((event: Event) => event.target.id))
    cursor = body.meta.nextCursor
    if (!body.meta.hasMore) return { targets, cursor }
  }
}

/** Reads until `count` events have arrived. Any open transaction on the server, also of another test, delays the feed. */
async function drainUntil(from: string | null, count: number) {
  const targets: string[] = []
  let cursor = from
  await eventually(async () => {
    const part = await drain(admin, cursor)
    targets.push(...part.targets)
    cursor = part.cursor
    return targets.length >= count
  }, `${count} events`)
  return { targets, cursor }
}

t.test('an event of a transaction that commits late appears ahead of the cursor and never behind it', async t => {
  const start = (await drain(admin, null)).cursor
  const late = new pg.Client({ connectionString: config.databaseUrl })
  await late.connect()
  try {
    const slow = newId()
    await late.query('begin')
    await late.query(
      `insert into events (id, type, organization_id, actor_type, target_type, target_id, data)
        values ($1, 'task.created', $2, 'system', 'task', $3, '{}')`,
      [newId(), organization.id, slow],
    )
    const quick = [await create('quick 1'), await create('quick 2')]
    const before = await drain(admin, start)
    t.same(before.targets, [], 'nothing passes the open transaction')
    t.equal(before.cursor, start, 'and the cursor stays')
    await late.query('commit')
    const after = await drainUntil(before.cursor, 3)
    t.same(after.targets, [slow, ...quick])
    t.same((await drain(admin, after.cursor)).targets, [])
  } finally {
    await late.end()
  }
})

t.test('a feed that is read while 8 clients write misses and repeats nothing', async t => {
  const start = (await drain(admin, null)).cursor
  const written: string[] = []
  let writing = true
  const writers = Promise.all(
    Array.from({ length: 8 }, async (_, writer) => {
      for (let at = 0; at < 25; at++) written.push(await create(`w${writer} ${at}`))
    }),
  ).then(() => {
    writing = false
  })
  const read: string[] = []
  let cursor = start
  while (writing) {
    const part = await drain(admin, cursor)
    read.push(...part.targets)
    cursor = part.cursor
  }
  await writers
  read.push(...(await drainUntil(cursor, written.length - read.length)).targets)
  t.equal(read.length, new Set(read).size, 'nothing twice')
  t.same(read.toSorted(), written.toSorted(), 'nothing missed')
})

t.test('a cursor stays good for ever, also where nothing follows yet', async t => {
  const { cursor } = await drain(admin, null)
  t.ok(cursor)
  const id = await create('later')
  t.same((await drainUntil(cursor, 1)).targets, [id])
})

t.test('the log is for admins and keys with the scope, each in their own organization', async t => {
  const feed = (as: typeof admin, query = '') => call(app, `GET /events${query}`, { as })
  const own = `?organizationId=${organization.id}`
  t.equal((await feed(member, own)).status, 403)
  t.equal((await feed(outsider, own)).status, 404)
  t.equal((await feed(admin)).status, 422, 'a user says which organization')
  const key = await createKey(test, organization.id, 'events:read')
  const stranger = await createKey(test, outsider.organizationId, 'events:read')
  t.ok((await call(app, 'GET /events', { as: key })).body.data.length > 0)
  t.equal((await call(app, `GET /events${own}`, { as: stranger })).status, 404)
  t.same((await call(app, 'GET /events', { as: stranger })).body.data, [])
})

t.test('the audit list is newest first, page by page, and each filter finds', async t => {
  const id = await create('filtered')
  await call(app, `PATCH /tasks/${id}`, { as: admin, body: { title: 'changed' } })
  const path = `/organizations/${organization.id}/events`
  const list = async (query: string): Promise<Event[]> =>
    (await call(app, `GET ${path}?${query}`, { as: admin })).body.data
  t.match(await list('limit=2'), [
    { type: 'task.updated', target: { id } },
    { type: 'task.created', target: { id } },
  ])
  t.equal((await list(`targetId=${id}`)).length, 2)
  t.match(await list(`targetId=${id}&actorId=${admin.id}`), [{ type: 'task.updated' }])
  t.match(await list(`targetId=${id}&type=task.created`), [{ type: 'task.created' }])
  t.same(await list(`targetId=${newId()}`), [])
  t.same(await list(`actorId=${outsider.id}`), [])
  const [changed, created] = (await list(`targetId=${id}`)) as [Event, Event]
  t.same(await list(`targetId=${id}&since=${changed.createdAt}`), [changed], 'since is inclusive')
  t.same(await list(`targetId=${id}&until=${changed.createdAt}`), [created], 'until is exclusive')
  for (const nothing of ['until=2020-01-01T00:00:00.000Z', 'since=2999-01-01T00:00:00.000Z'])
    t.same(await list(nothing), [])
  const all = (await list('limit=100')).length
  for (const everything of ['since=0001-01-01T00:00:00.000Z', 'until=9999-12-31T23:59:59.999Z'])
    t.equal((await list(`limit=100&${everything}`)).length, all, everything)
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const { body } = await call(app, `GET ${path}?limit=50${cursor && `&cursor=${cursor}`}`, { as: admin })
    seen.push(...body.data.map((event: Event) => event.id))
    cursor = body.meta.nextCursor
  }
  const logged = await sql('select id from events where organization_id = $1 order by position desc, seq desc', [
    organization.id,
  ])
  t.same(
    seen,
    logged.map((row: { id: string }) => row.id),
  )
})

t.test('an event says who, what, from where, and carries no more than the answer did', async t => {
  const answer = await call(app, `POST /projects/${projectId}/tasks`, {
    as: member,
    body: { title: 'x' },
    from: '203.0.113.9',
    headers: { 'user-agent': 'partner/1.0' },
  })
  const [row] = await sql('select * from events where target_id = $1', [answer.body.id])
  t.match(row, {
    actor_type: 'user',
    actor_id: member.id,
    address: '203.0.113.9',
    user_agent: 'partner/1.0',
    request_id: answer.headers['request-id'],
  })
  const origin = { address: '203.0.113.9', userAgent: 'partner/1.0', requestId: answer.headers['request-id'] }
  const list = async (as: Credentials) =>
    (await call(app, `GET /organizations/${organization.id}/events?limit=1`, { as })).body.data[0]
  const event = await list(admin)
  t.same(event.data, answer.body)
  t.match(event, origin)
  t.notOk('position' in event)
  const key = await createKey(test, organization.id, 'events:read')
  const { address, userAgent, requestId, ...itself } = event
  t.same(await list(key), itself, 'a key is not told where people are')
  const feed = await call(app, `GET /events?organizationId=${organization.id}&limit=100`, { as: admin })
  for (const name of Object.keys(origin)) t.notOk(feed.text.includes(`"${name}"`), `the feed has no ${name}`)
})

t.test('the log is append-only: the database refuses update, delete and truncate', async t => {
  const before = await sql('select count(*) from events')
  for (const statement of [`update events set type = 'x'`, 'delete from events', 'truncate events'])
    await t.rejects(sql(statement), { message: 'events is append-only', code: '23001' })
  t.same(await sql('select count(*) from events'), before)
})
