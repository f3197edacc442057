import t from 'tap'
import { newId } from '../../../src/lib/ids.ts'
import { newApiKey } from '../../../src/lib/keys.ts'
import { createKey, createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createProject } from '../../helpers/factories.ts'
import { recordStatements } from '../../helpers/statements.ts'

const test = await testApp(t)
const { app, sql } = test
const organization = await createOrganization(test)
const { admin } = organization
const path = `/organizations/${organization.id}/api-keys`
const body = { name: 'Import', scopes: ['projects:read'] }
const bearer = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })
const use = (key: string) => call(app, `GET /organizations/${organization.id}/projects`, { as: bearer(key) })

t.test('the secret is in the answer to its creation and nowhere else', async t => {
  const created = await call(app, `POST ${path}`, { as: admin, body })
  t.equal(created.headers['cache-control'], 'no-store')
  const { key, id, hint } = created.body
  t.match(key, /^ltl_test_[0-9A-Za-z]{36}$/)
  t.equal(hint, key.slice(-4))
  t.equal((await use(key)).status, 200)
  const list = await call(app, `GET ${path}`, { as: admin })
  t.notOk(list.text.includes(key))
  t.notMatch(list.text, /hash/i)
  const tables = await sql(`select table_name as name from information_schema.tables where table_schema = 'public'`)
  for (const { name } of tables)
    t.equal((await sql(`select from ${name} r where r::text like '%' || $1 || '%'`, [key])).length, 0, name)
  const { data } = (await sql('select data from events where target_id = $1', [id]))[0]
  t.notOk('key' in data || 'hash' in data)
})

t.test('no key is made that has expired already', async t => {
  for (const expiresAt of ['2001-01-01T00:00:00Z', new Date().toISOString()]) {
    const { status, body: problem } = await call(app, `POST ${path}`, { as: admin, body: { ...body, expiresAt } })
    t.equal(status, 422)
    t.same(problem.errors, [{ pointer: '#/expiresAt', detail: 'has passed already' }])
  }
})

t.test('a key with a wrong checksum or form is refused without a query', async t => {
  const seen = recordStatements(app)
  const good = newApiKey('test')
  const bad = [
    `${good.slice(0, -1)}${good.endsWith('0') ? '1' : '0'}`,
    good.replace('ltl_test_', 'ltl_live_'),
    good.slice(0, -1),
    `${good}0`,
    'ltl_test_',
    'ltl_',
    `ltl_test_${"'".repeat(36)}`,
  ]
  for (const key of bad) t.equal((await use(key)).status, 401, key)
  t.equal(seen.length, 0)
  t.equal((await use(good)).status, 401, 'unknown, with a right checksum')
  t.equal(seen.length, 1)
})

t.test('X-Api-Key does as Authorization does, and Authorization goes first', async t => {
  const { key } = await createKey(test, organization.id, 'projects:read')
  const url = `GET /organizations/${organization.id}/projects`
  t.equal((await call(app, url, { headers: { 'x-api-key': key } })).status, 200)
  const both = { 'x-api-key': key, authorization: 'Bearer nonsense' }
  t.equal((await call(app, url, { headers: both })).status, 401)
})

t.test('a key ends at its expiry, and at once when it is revoked', async t => {
  const { key, id } = (await call(app, `POST ${path}`, { as: admin, body })).body
  const soon = { expiresAt: new Date(Date.now() + 60_000).toISOString() }
  t.equal((await call(app, `PATCH ${path}/${id}`, { as: admin, body: soon })).status, 200)
  t.equal((await use(key)).status, 200)
  await sql(`update api_keys set expires_at = now() - interval '1 second' where id = $1`, [id])
  t.equal((await use(key)).status, 401)
  t.equal((await call(app, `PATCH ${path}/${id}`, { as: admin, body: { expiresAt: null } })).status, 200)
  t.equal((await use(key)).status, 200)
  t.equal((await call(app, `DELETE ${path}/${id}`, { as: admin })).status, 204)
  t.equal((await use(key)).status, 401)
})

t.test('a change of scopes counts from the next request on', async t => {
  const { key, id } = (await call(app, `POST ${path}`, { as: admin, body })).body
  await call(app, `PATCH ${path}/${id}`, { as: admin, body: { scopes: ['tasks:read'] } })
  t.equal((await use(key)).status, 403)
})

t.test('a key reaches its own organization only', async t => {
  const { key } = await createKey(test, organization.outsider.organizationId, 'projects:read', 'tasks:write')
  t.equal((await use(key)).status, 404)
  const projectId = await createProject(test, { organizationId: organization.id })
  const create = await call(app, `POST /projects/${projectId}/tasks`, { as: bearer(key), body: { title: 'x' } })
  t.equal(create.status, 404)
})

t.test('keys of one organization are not reached by way of another', async t => {
  const { id } = (await call(app, `POST ${path}`, { as: admin, body })).body
  const { outsider } = organization
  const elsewhere = `/organizations/${outsider.organizationId}/api-keys/${id}`
  t.equal((await call(app, `PATCH ${elsewhere}`, { as: outsider, body: { name: 'x' } })).status, 404)
  t.equal((await call(app, `DELETE ${elsewhere}`, { as: outsider })).status, 404)
})

t.test('an idempotent create makes one key and keeps its secret nowhere', async t => {
  const headers = { 'idempotency-key': newId() }
  const before = (await sql('select id from api_keys')).length
  const first = await call(app, `POST ${path}`, { as: admin, body, headers })
  t.equal(first.status, 201)
  t.equal((await use(first.body.key)).status, 200)
  const again = await call(app, `POST ${path}`, { as: admin, body, headers })
  t.match(again.body, { status: 409, code: 'idempotency_answer_not_kept' })
  t.equal((await sql('select id from api_keys')).length, before + 1)
  const kept = await sql(`select from idempotency_keys k where body is not null or k::text like '%' || $1 || '%'`, [
    first.body.key,
  ])
  t.equal(kept.length, 0)
})

t.test('concurrent calls of many keys share a look-up and none gets the rights of another', async t => {
  const keys = await Promise.all(
    Array.from({ length: 20 }, (_, at) => createKey(test, organization.id, at % 2 ? 'projects:read' : 'tasks:read')),
  )
  const seen = recordStatements(app)
  const answers = await Promise.all(keys.map(({ key }) => use(key)))
  t.same(
    answers.map(({ status }) => status),
    keys.map((_, at) => (at % 2 ? 200 : 403)),
  )
  t.ok(seen.filter(({ name }) => name === 'api_keys.live').length < 5)
})
