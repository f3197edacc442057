import pg from 'pg'
import t from 'tap'
import { sha256 } from '../../src/lib/crypto.ts'
import { newId } from '../../src/lib/ids.ts'
import { addMember, createKey, createOrganization } from '../helpers/actors.ts'
import { testApp } from '../helpers/app.ts'
import { type Credentials, call } from '../helpers/call.ts'
import { createProject } from '../helpers/factories.ts'

const test = await testApp(t)
const { app, sql, config } = test
const organization = await createOrganization(test)
const { member, admin, outsider } = organization
const projectId = await createProject(test, { organizationId: organization.id })
const path = `/projects/${projectId}/tasks`

interface Sending {
  as?: Credentials
  path?: string
  body?: object | string
}
const send = (key: string, { as = member, path: to = path, body = { title: 'x' } }: Sending = {}) =>
  call(app, `POST ${to}`, { as, body, headers: { 'idempotency-key': key } })
const count = async (): Promise<number> => (await sql('select count(*)::int as n from tasks'))[0].n

t.test('the first use runs; the same request again gets the same bytes and status and does nothing', async t => {
  const key = newId()
  const before = await count()
  const first = await send(key)
  t.equal(first.status, 201)
  t.equal(first.headers['idempotent-replayed'], undefined)
  const again = await send(key)
  t.equal(again.text, first.text)
  t.equal(again.status, first.status)
  t.equal(again.headers['idempotent-replayed'], 'true')
  for (const name of ['location', 'etag', 'content-type', 'cache-control'])
    t.equal(again.headers[name], first.headers[name], name)
  t.equal(await count(), before + 1)
  t.equal((await sql('select from events where target_id = $1', [first.body.id])).length, 1)
})

t.test('a replay is what was answered then, also when the resource has changed since', async t => {
  const key = newId()
  const first = await send(key)
  await call(app, `PATCH /tasks/${first.body.id}`, { as: member, body: { title: 'changed' } })
  t.equal((await send(key)).text, first.text)
  await call(app, `DELETE /tasks/${first.body.id}`, { as: member })
  t.equal((await send(key)).text, first.text)
})

t.test('a key is quoted or bare, of 1 to 255 visible characters; anything else is 400 and runs nothing', async t => {
  const before = await count()
  const id = newId()
  const quoted = await send(`"${id}"`)
  t.equal((await send(id)).text, quoted.text, 'both forms are one key')
  t.equal((await send('k'.repeat(255))).status, 201)
  for (const key of ['', ' ', 'k'.repeat(256), 'a b', '"', '""', '"a', 'a"b', 'é', 'a\tb']) {
    const { body } = await send(key)
    t.match(body, { status: 400, code: 'idempotency_key_invalid' }, JSON.stringify(key))
  }
  t.equal(await count(), before + 2)
})

t.test('the same key for another request is 422', async t => {
  const key = newId()
  await send(key)
  const other = await createProject(test, { organizationId: organization.id })
  const reused = { status: 422, code: 'idempotency_key_reused' }
  t.match((await send(key, { body: { title: 'y' } })).body, reused, 'another body')
  t.match((await send(key, { path: `/projects/${other}/tasks` })).body, reused, 'another path')
  t.match((await send(key, { path: `${path}/bulk`, body: { tasks: [{ title: 'x' }] } })).body, reused)
})

t.test('while the first is running the key is 409 with Retry-After', async t => {
  const key = newId()
  const other = new pg.Client({ connectionString: config.databaseUrl })
  await other.connect()
  try {
    const id = sha256(JSON.stringify([organization.id, member.id, key]))
    await other.query('begin')
    await other.query('select pg_advisory_xact_lock($1)', [id.readBigInt64BE()])
    const answer = await send(key)
    t.match(answer.body, { status: 409, code: 'idempotency_in_progress' })
    t.equal(answer.headers['retry-after'], '1')
  } finally {
    await other.end()
  }
  t.equal((await send(key)).status, 201)
})

t.test('20 duplicates at once have one effect and one answer', async t => {
  for (let round = 0; round < 5; round++) {
    const key = newId()
    const before = await count()
    const answers = await Promise.all(Array.from({ length: 20 }, () => send(key)))
    const done = answers.filter(({ status }) => status === 201)
    t.ok(done.length >= 1)
    t.equal(new Set(done.map(({ text }) => text)).size, 1)
    const rest = answers.filter(({ status }) => status !== 201)
    t.ok(rest.every(({ body }) => body.code === 'idempotency_in_progress'))
    t.equal(await count(), before + 1)
  }
})

t.test('what is refused or rolled back leaves the key free', async t => {
  const key = newId()
  const refused: [Sending, number][] = [
    [{ body: { title: '' } }, 422],
    [{ body: { title: 'x', assigneeId: outsider.id } }, 422],
    [{ body: '{' }, 400],
    [{ path: `/projects/${newId()}/tasks` }, 404],
    [{ as: { headers: { authorization: 'Bearer x' } } }, 401],
  ]
  for (const [sending, status] of refused) t.equal((await send(key, sending)).status, status)
  t.equal(
    (
      await sql('select from idempotency_keys k where id = $1', [
        sha256(JSON.stringify([organization.id, member.id, key])),
      ])
    ).length,
    0,
  )
  t.equal((await send(key)).status, 201)
})

t.test('a key belongs to its principal and its tenant', async t => {
  const key = newId()
  const apiKey = await createKey(test, organization.id, 'tasks:write')
  const otherKey = await createKey(test, organization.id, 'tasks:write')
  const ids = new Set<string>()
  for (const as of [member, admin, apiKey, otherKey]) {
    const { status, body, headers } = await send(key, { as })
    t.same([status, headers['idempotent-replayed']], [201, undefined])
    ids.add(body.id)
  }
  await addMember(test, outsider.organizationId, member.id, 'member')
  const elsewhere = await createProject(test, { organizationId: outsider.organizationId })
  const there = await send(key, { path: `/projects/${elsewhere}/tasks` })
  t.equal(there.status, 201)
  ids.add(there.body.id)
  t.equal(ids.size, 5)
})

t.test('who lost the right gets no replay', async t => {
  const key = newId()
  t.equal((await send(key, { as: admin })).status, 201)
  await sql(`update members set role = 'viewer' where user_id = $1`, [admin.id])
  t.equal((await send(key, { as: admin })).status, 403)
  await sql('delete from members where user_id = $1', [admin.id])
  t.equal((await send(key, { as: admin })).status, 404)
})

t.test('a key is free again after 24 hours', async t => {
  const key = newId()
  const first = await send(key)
  await sql(`update idempotency_keys set created_at = now() - interval '24 hours 1 second'`)
  const second = await send(key, { body: { title: 'the next day' } })
  t.equal(second.status, 201)
  t.not(second.body.id, first.body.id)
  t.equal((await send(key, { body: { title: 'the next day' } })).text, second.text)
})

t.test('an action without a body is replayed as well', async t => {
  const { id } = (await send(newId())).body
  const key = newId()
  const plain = () => call(app, `POST /tasks/${id}/complete`, { as: member, headers: { 'idempotency-key': key } })
  const done = await plain()
  t.equal(done.status, 200)
  t.equal((await plain()).text, done.text)
  t.equal((await sql(`select from events where target_id = $1 and type = 'task.completed'`, [id])).length, 1)
})

t.test('the same JSON in another order of keys is the same request; another order of an array is not', async t => {
  const key = newId()
  const to = `${path}/bulk`
  const bulk = (body: string) => send(key, { path: to, body })
  const first = await bulk('{"tasks":[{"title":"a","priority":1},{"title":"b","description":null}]}')
  t.equal(first.status, 201)
  const again = await bulk(' { "tasks" : [ {"priority":1e0,"title":"\\u0061"}, {"description":null,"title":"b"} ] } ')
  t.same([again.status, again.headers['idempotent-replayed']], [201, 'true'])
  t.equal(again.text, first.text)
  const swapped = await bulk('{"tasks":[{"title":"b","description":null},{"title":"a","priority":1}]}')
  t.equal(swapped.body.code, 'idempotency_key_reused')
})

t.test('a replay comes before the condition, which the first request has met', async t => {
  const { id } = (await send(newId())).body
  const headers = { 'idempotency-key': newId(), 'if-match': '"1"' }
  const complete = () => call(app, `POST /tasks/${id}/complete`, { as: member, headers })
  const first = await complete()
  t.same([first.status, first.headers.etag], [200, '"2"'])
  t.equal((await complete()).text, first.text)
  const other = { ...headers, 'idempotency-key': newId() }
  t.equal((await call(app, `POST /tasks/${id}/complete`, { as: member, headers: other })).status, 412)
})

t.test('on a public route a key means nothing', async t => {
  const body = { email: 'nobody@example.com', password: 'wrong password' }
  for (let at = 0; at < 2; at++) {
    const answer = await call(app, 'POST /auth/login', { body, headers: { 'idempotency-key': 'same' } })
    t.same([answer.status, answer.headers['idempotent-replayed']], [401, undefined])
  }
})
