import t from 'tap'
import { createOrganization } from '../helpers/actors.ts'
import { testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'
import { createProject, createTask } from '../helpers/factories.ts'

const test = await testApp(t)
const { app, sql } = test
const organization = await createOrganization(test)
const { member, viewer } = organization
const projectId = await createProject(test, { organizationId: organization.id })
const version = async (id: string) => (await sql('select version from tasks where id = $1', [id]))[0]?.version
/** Creates a task and changes it to version 3. */
async function task(): Promise<string> {
  const id = await createTask(test, { projectId })
  await sql('update tasks set version = 3 where id = $1', [id])
  return id
}

t.test('the tag is the version, the same for every reader, and changes with every write', async t => {
  const id = await task()
  t.equal((await call(app, `GET /tasks/${id}`, { as: member })).headers.etag, '"3"')
  t.equal((await call(app, `GET /tasks/${id}`, { as: viewer })).headers.etag, '"3"')
  const patched = await call(app, `PATCH /tasks/${id}`, { as: member, body: { title: 'new' } })
  t.equal(patched.headers.etag, '"4"')
  t.equal((await call(app, `GET /tasks/${id}`, { as: viewer })).headers.etag, '"4"')
})

t.test('If-None-Match answers 304 without a body where any tag is the present one', async t => {
  const id = await task()
  const read = (tag: string) => call(app, `GET /tasks/${id}`, { as: member, headers: { 'if-none-match': tag } })
  for (const tag of ['"3"', 'W/"3"', '"1", "3"', '"1",W/"3" ,"9"', '*', ' * ']) {
    const { status, text, headers } = await read(tag)
    t.same([status, text], [304, ''], tag)
    t.equal(headers.etag, '"3"')
    t.ok(headers['cache-control'] && headers['request-id'])
  }
  for (const tag of ['"2"', 'W/"30"', '3', '', '"*"', '"3']) t.equal((await read(tag)).status, 200, tag)
})

t.test('If-Match writes only on a present version; weak tags never match', async t => {
  for (const [tag, passes] of [
    ['"3"', true],
    ['"1", "3"', true],
    ['*', true],
    ['"2"', false],
    ['W/"3"', false],
    ['W/"3", "2"', false],
    ['"03"', false],
    ['" 3"', false],
    ['"3.0"', false],
    ['"0x3"', false],
    ['"99999999999999999999"', false],
    ['"4294967299"', false],
    ['"-3"', false],
    ['3', false],
    ['', false],
    ['nonsense', false],
  ] as const) {
    const headers = { 'if-match': tag }
    const patchable = await task()
    const patched = await call(app, `PATCH /tasks/${patchable}`, { as: member, body: { title: 'new' }, headers })
    t.equal(patched.status, passes ? 200 : 412, `PATCH ${tag}`)
    t.equal(await version(patchable), passes ? 4 : 3)
    const deletable = await task()
    const deleted = await call(app, `DELETE /tasks/${deletable}`, { as: member, headers })
    t.equal(deleted.status, passes ? 204 : 412, `DELETE ${tag}`)
    t.equal(await version(deletable), passes ? undefined : 3)
  }
})

t.test('of two writers with the same tag one wins', async t => {
  for (let round = 0; round < 10; round++) {
    const id = await task()
    const write = (title: string) =>
      call(app, `PATCH /tasks/${id}`, { as: member, body: { title }, headers: { 'if-match': '"3"' } })
    const statuses = (await Promise.all([write('a'), write('b'), write('c')])).map(({ status }) => status)
    t.same(statuses.toSorted(), [200, 412, 412])
    t.equal(await version(id), 4)
  }
})

t.test('a stale tag on what is not there, or not theirs, is 404', async t => {
  const headers = { 'if-match': '"3"' }
  const { outsider } = organization
  t.equal((await call(app, `DELETE /tasks/${await task()}`, { as: outsider, headers })).status, 404)
})

t.test('answers are private, tokens and keys are never stored', async t => {
  const { admin } = organization
  const read = await call(app, `GET /tasks/${await task()}`, { as: member })
  t.equal(read.headers['cache-control'], 'private, no-cache')
  const body = { name: 'x', scopes: ['tasks:read'] }
  const key = await call(app, `POST /organizations/${organization.id}/api-keys`, { as: admin, body })
  t.equal(key.headers['cache-control'], 'no-store')
  t.equal((await call(app, 'GET /users/me', { as: null })).headers['cache-control'], 'no-store')
})
