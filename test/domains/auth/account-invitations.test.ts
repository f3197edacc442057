import t from 'tap'
import { addMember, createOrganization, createUser, signIn, type TestUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { awaitLink, eventually, mailsTo } from '../../helpers/mail.ts'

const test = await testApp(t, { works: true, unverifiedLogin: false })
const { app, sql } = test
const admin = await createUser(test, { role: 'admin' })
const PASSWORD = 'correct horse battery'
let people = 0
const invite = (body: object, as: Pick<TestUser, 'headers'> = admin) => call(app, 'POST /users', { as, body })
const somebody = () => ({ email: `Person-${++people}@Example.com`, name: 'Grace' })
const rowOf = async (id: string) => (await sql('select * from users where id = $1', [id]))[0]
const eventsOf = async (id: string) =>
  (await sql('select type from events where target_id = $1 order by seq', [id])).map(
    (row: { type: string }) => row.type,
  )
const login = (email: string, password = PASSWORD) => call(app, 'POST /auth/login', { body: { email, password } })

t.test('who is invited chooses a password by the link of the mail, once, and signs in', async t => {
  const person = somebody()
  const email = person.email.toLowerCase()
  const { status, body, headers } = await invite({ ...person, role: 'moderator' })
  t.match({ status, body }, { status: 201, body: { email, name: 'Grace', role: 'moderator', emailVerifiedAt: null } })
  t.equal(headers.location, `/api/v1/users/${body.id}`)
  t.match(await rowOf(body.id), { password_hash: null, role: 'moderator' })
  t.equal((await sql('select from profiles p join settings s using (user_id) where user_id = $1', [body.id])).length, 1)
  t.same(await eventsOf(body.id), ['user.invited'])
  const token = await awaitLink(test, email, 'reset-password')
  const choose = () => call(app, 'POST /auth/password/reset', { body: { token, password: PASSWORD } })
  t.equal((await choose()).status, 204)
  t.equal((await choose()).status, 400)
  t.match((await login(email)).body, { user: { id: body.id, role: 'moderator' } })
  t.ok((await rowOf(body.id)).email_verified_at, 'the mail proves the address')
})

t.test('an address has one account, in any case and among concurrent invitations, and one mail', async t => {
  const person = somebody()
  const answers = await Promise.all(Array.from({ length: 4 }, () => invite(person)))
  t.same(answers.map(({ status }) => status).sort(), [201, 409, 409, 409])
  t.match((await invite({ ...person, email: person.email.toUpperCase() })).body, { code: 'email_taken' })
  const email = person.email.toLowerCase()
  await awaitLink(test, email, 'reset-password')
  await eventually(
    async () =>
      (await sql(`select from jobs.job where name = 'auth.account_invitation' and state < 'completed'`)).length === 0,
    'every invitation is sent',
  )
  t.equal((await mailsTo(test, email)).length, 1)
})

t.test('only an admin of the platform invites, replaces and deletes', async t => {
  const { owner } = await createOrganization(test)
  const moderator = await createUser(test, { role: 'moderator' })
  const target = await createUser(test)
  for (const as of [owner, moderator, target]) {
    const email = somebody().email
    t.equal((await invite({ email, name: 'x', role: 'admin' }, as)).status, 403)
    t.same(await sql('select from users where email = $1', [email.toLowerCase()]), [])
    t.equal((await call(app, `PUT /users/${target.id}`, { as, body: { name: 'x', role: 'admin' } })).status, 403)
    t.equal((await call(app, `DELETE /users/${target.id}`, { as })).status, 403)
  }
  t.match(await rowOf(target.id), { role: 'user', erase_at: null, version: 1 })
})

t.test('PUT takes all that it replaces, signs out for a new role, and keeps the last admin', async t => {
  const user = await createUser(test)
  const replace = (id: string, body: object, headers = {}) =>
    call(app, `PUT /users/${id}`, { as: admin, body, headers })
  for (const part of [{ name: 'x' }, { role: 'user' }, { name: 'x', role: 'user', email: 'x@example.com' }])
    t.equal((await replace(user.id, part)).status, 422)
  t.equal((await replace(user.id, { name: 'New', role: 'user' }, { 'if-match': '"9"' })).status, 412)
  t.match((await replace(user.id, { name: 'New', role: 'user' })).body, { name: 'New', role: 'user' })
  t.equal((await call(app, 'GET /users/me', { as: user })).status, 200)
  t.match((await replace(user.id, { name: 'New', role: 'moderator' })).body, { role: 'moderator' })
  t.equal((await call(app, 'GET /users/me', { as: user })).status, 401)
  t.match((await replace(admin.id, { name: 'Me', role: 'user' })).body, { status: 409, code: 'last_admin' })
})

t.test('a deleted account is signed out at once, erased after its time, and kept by who signs in', async t => {
  const user = await createUser(test)
  const remove = (id: string, headers = {}) => call(app, `DELETE /users/${id}`, { as: admin, headers })
  t.equal((await remove(user.id, { 'if-match': '"9"' })).status, 412)
  const { status, body } = await remove(user.id)
  t.match({ status, body }, { status: 202, body: { eraseAt: /Z$/ } })
  t.same((await remove(user.id)).body, body, 'twice is once')
  t.equal((await call(app, 'GET /users/me', { as: user })).status, 401)
  const [event] = await sql(`select actor_id from events where target_id = $1 and type = 'user.deletion_requested'`, [
    user.id,
  ])
  t.equal(event.actor_id, admin.id)
  t.equal((await login(user.email, 'demo-password')).status, 200)
  t.equal((await rowOf(user.id)).erase_at, null)
  t.equal((await remove('01990000-0000-7000-8000-0000000000ff')).status, 404)
})

t.test('an account that its domains still need is not deleted: the last admin, the only owner', async t => {
  const { owner, id } = await createOrganization(test)
  await addMember(test, id, (await createUser(test)).id, 'member')
  for (const [user, code] of [
    [owner, 'last_owner'],
    [admin, 'last_admin'],
  ] as const)
    t.match((await call(app, `DELETE /users/${user.id}`, { as: admin })).body, { status: 409, code })
  t.equal((await call(app, 'GET /users/me', { as: await signIn(test, owner.id) })).status, 200)
})
