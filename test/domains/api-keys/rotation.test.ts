import t from 'tap'
import { newId } from '../../../src/lib/ids.ts'
import { createKey, createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'

const test = await testApp(t)
const { app, sql } = test
const organization = await createOrganization(test)
const { admin, member, outsider } = organization
const path = `/organizations/${organization.id}/api-keys`
const use = async (key: string) => {
  const as = { headers: { authorization: `Bearer ${key}` } }
  return (await call(app, `GET /organizations/${organization.id}/projects`, { as })).status
}
const rotate = (id: string, body?: object, as = admin) => call(app, `POST ${path}/${id}/rotate`, { as, body })
const DAY_MS = 86_400_000

t.test('the new secret works at once, the old one until the overlap ends and not a request longer', async t => {
  const { id, key } = await createKey(test, organization.id, 'projects:read')
  const { status, headers, body } = await rotate(id, { overlapSeconds: 3_600 })
  t.equal(status, 200)
  t.equal(headers['cache-control'], 'no-store')
  t.match(body, { id, hint: body.key.slice(-4), scopes: ['projects:read'] })
  t.equal(headers.etag, '"2"')
  t.not(body.key, key)
  t.same([await use(key), await use(body.key)], [200, 200])
  await sql(`update api_keys set previous_expires_at = now() - interval '1 second' where id = $1`, [id])
  t.same([await use(key), await use(body.key)], [401, 200])
})

t.test('without a body the overlap is a day; with none it ends the old secret at once', async t => {
  const { id, key } = await createKey(test, organization.id, 'projects:read')
  const { body } = await rotate(id)
  const left = Date.parse(body.previousExpiresAt) - Date.now()
  t.ok(left > DAY_MS - 60_000 && left <= DAY_MS, `${left} ms`)
  const last = (await rotate(id, { overlapSeconds: 0 })).body
  t.same([await use(key), await use(body.key), await use(last.key)], [401, 401, 200])
})

t.test('two rotations in a row drop the oldest secret, however long its overlap was', async t => {
  const { id, key } = await createKey(test, organization.id, 'projects:read')
  const first = (await rotate(id, { overlapSeconds: 604_800 })).body.key
  const second = (await rotate(id, { overlapSeconds: 604_800 })).body.key
  t.same([await use(key), await use(first), await use(second)], [401, 200, 200])
})

t.test('rotations at once leave exactly two secrets that work', async t => {
  const { id, key } = await createKey(test, organization.id, 'projects:read')
  const answers = await Promise.all(Array.from({ length: 8 }, () => rotate(id)))
  const statuses = await Promise.all([key, ...answers.map(({ body }) => body.key)].map(use))
  t.equal(statuses.filter(status => status === 200).length, 2)
  t.equal(statuses[0], 401)
})

t.test('an overlap of no time, of more than a week or of no number is refused', async t => {
  const { id, key } = await createKey(test, organization.id, 'projects:read')
  for (const overlapSeconds of [-1, 604_801, 1.5, '60', null])
    t.equal((await rotate(id, { overlapSeconds })).status, 422, String(overlapSeconds))
  t.equal((await sql('select version from api_keys where id = $1', [id]))[0].version, 1)
  t.equal(await use(key), 200)
})

t.test('an expiry, a revocation and the end of the organization take the old secret along', async t => {
  const { id, key } = await createKey(test, organization.id, 'projects:read')
  const next = (await rotate(id)).body.key
  await sql(`update api_keys set expires_at = now() - interval '1 second' where id = $1`, [id])
  t.same([await use(key), await use(next)], [401, 401])
  await sql('update api_keys set expires_at = null where id = $1', [id])
  t.equal((await call(app, `DELETE ${path}/${id}`, { as: admin })).status, 204)
  t.same([await use(key), await use(next)], [401, 401])

  const doomed = await createOrganization(test)
  const theirs = await createKey(test, doomed.id, 'organization:read')
  const read = () => call(app, `GET /organizations/${doomed.id}`, { as: theirs })
  t.equal((await read()).status, 200)
  await call(app, `DELETE /organizations/${doomed.id}`, { as: doomed.owner })
  t.equal((await read()).status, 401)
})

t.test('a rotation is an event that holds neither secret nor hash', async t => {
  const { id } = await createKey(test, organization.id, 'projects:read')
  const { body } = await rotate(id)
  const [event] = await sql(`select * from events where target_id = $1 and type = 'api_key.rotated'`, [id])
  t.match(event, { actor_type: 'user', actor_id: admin.id, organization_id: organization.id })
  const { key, ...itself } = body
  t.same(event.data, itself)
  t.notOk(JSON.stringify(event).includes(key))
})

t.test('only an admin of the organization rotates its keys', async t => {
  const { id, key } = await createKey(test, organization.id, 'projects:read')
  t.equal((await rotate(id, undefined, member)).status, 403)
  t.equal((await rotate(id, undefined, outsider)).status, 404)
  const elsewhere = `/organizations/${outsider.organizationId}/api-keys/${id}/rotate`
  t.equal((await call(app, `POST ${elsewhere}`, { as: outsider })).status, 404)
  t.equal((await call(app, `POST ${path}/${newId()}/rotate`, { as: admin })).status, 404)
  t.equal(await use(key), 200)
})

t.test('an idempotent rotation happens once and keeps its secret nowhere', async t => {
  const { id } = await createKey(test, organization.id, 'projects:read')
  const headers = { 'idempotency-key': newId() }
  const first = await call(app, `POST ${path}/${id}/rotate`, { as: admin, headers })
  t.equal(first.status, 200)
  const again = await call(app, `POST ${path}/${id}/rotate`, { as: admin, headers })
  t.match(again.body, { status: 409, code: 'idempotency_answer_not_kept' })
  t.equal(await use(first.body.key), 200)
  t.equal((await sql('select version from api_keys where id = $1', [id]))[0].version, 2)
})
