import t from 'tap'
import { createUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'

const test = await testApp(t)
const { app, sql } = test

t.test('profile and settings are made with the user', async t => {
  const email = 'ada@example.com'
  const password = 'correct horse battery'
  await call(app, 'POST /auth/register', { body: { email, password, name: 'Ada' } })
  const { accessToken } = (await call(app, 'POST /auth/login', { body: { email, password } })).body
  const { body } = await call(app, 'GET /users/me', { as: { headers: { authorization: `Bearer ${accessToken}` } } })
  t.match(body, {
    email,
    name: 'Ada',
    profile: { bio: null, company: null, jobTitle: null },
    settings: { locale: 'en', timezone: 'UTC', theme: 'system', emailNotifications: true, digest: 'none' },
  })
  t.notMatch(JSON.stringify(body), /password|hash/i)
})

t.test('a patch changes what it names in user, profile and settings, and null clears', async t => {
  const as = await createUser(test)
  const change = { name: 'Grace', profile: { bio: 'Admiral', company: 'Navy' }, settings: { theme: 'dark' } }
  const { body } = await call(app, 'PATCH /users/me', { as, body: change })
  t.match(body, {
    name: 'Grace',
    profile: { bio: 'Admiral', company: 'Navy', jobTitle: null },
    settings: { theme: 'dark' },
  })
  t.equal(body.settings.locale, 'en')
  const cleared = await call(app, 'PATCH /users/me', { as, body: { profile: { bio: null } } })
  t.match(cleared.body, { name: 'Grace', profile: { bio: null, company: 'Navy' } })
  t.same((await call(app, 'GET /users/me', { as })).body, cleared.body)
})

t.test('a change of settings alone is a new version', async t => {
  const as = await createUser(test)
  const before = (await call(app, 'GET /users/me', { as })).headers.etag
  const changed = await call(app, 'PATCH /users/me', { as, body: { settings: { emailNotifications: false } } })
  t.not(changed.headers.etag, before)
  t.equal((await call(app, 'GET /users/me', { as, headers: { 'if-none-match': before as string } })).status, 200)
  const known = { 'if-none-match': changed.headers.etag as string }
  t.equal((await call(app, 'GET /users/me', { as, headers: known })).status, 304)
})

t.test('under If-Match nothing of user, profile or settings changes when the version is another', async t => {
  const as = await createUser(test)
  const before = (await call(app, 'GET /users/me', { as })).body
  const body = { name: 'x', profile: { bio: 'x' }, settings: { theme: 'dark' } }
  const stale = await call(app, 'PATCH /users/me', { as, body, headers: { 'if-match': '"99"' } })
  t.match(stale.body, { status: 412, code: 'precondition_failed' })
  t.same((await call(app, 'GET /users/me', { as })).body, before)
  t.equal((await call(app, 'PATCH /users/me', { as, body, headers: { 'if-match': '"1"' } })).status, 200)
})

t.test('the platform’s admin lists, searches and reads users without their secrets', async t => {
  const admin = await createUser(test, { role: 'admin' })
  const someone = await createUser(test)
  await sql(`update users set password_hash = 'SECRETHASH', name = 'Percent % Under_score' where id = $1`, [someone.id])
  const list = async (query: string) => (await call(app, `GET /users?${query}`, { as: admin })).body.data
  t.same(
    (await list('search=percent%20%25')).map(({ id }: { id: string }) => id),
    [someone.id],
  )
  t.same((await list(`search=${encodeURIComponent(someone.email.toUpperCase())}`)).length, 1)
  t.same(await list('search=%25%25'), [], '% is an ordinary character')
  t.ok((await list('role=admin')).every(({ role }: { role: string }) => role === 'admin'))
  t.same(await list('status=deactivated'), [])
  const read = await call(app, `GET /users/${someone.id}`, { as: admin })
  t.notMatch(read.text + JSON.stringify(await list('limit=100')), /SECRETHASH/)
})
