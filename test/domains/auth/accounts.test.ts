import t from 'tap'
import { createUser, signIn, type TestUser } from '../../helpers/actors.ts'
import { anotherNode, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { eventually } from '../../helpers/mail.ts'
import { decode } from '../../helpers/tokens.ts'

const test = await testApp(t)
const { app, sql } = test
const admin = await createUser(test, { role: 'admin' })
const PASSWORD = 'correct horse battery'

type As = Pick<TestUser, 'headers'>
const me = async (as: As, at = app) => (await call(at, 'GET /users/me', { as })).status
const patch = (id: string, body: object, { as = admin as As, headers = {} } = {}) =>
  call(app, `PATCH /users/${id}`, { as, body, headers })
const deactivate = (id: string, as: As = admin) => call(app, `POST /users/${id}/deactivate`, { as })
const activate = (id: string, as: As = admin) => call(app, `POST /users/${id}/activate`, { as })
const eventsOf = async (id: string) =>
  (await sql('select type from events where target_id = $1 order by seq', [id])).map(
    ({ type }: { type: string }) => type,
  )
const login = (email: string) => call(app, 'POST /auth/login', { body: { email, password: PASSWORD } })
let users = 0

/** Registers a user with a password; returns the response. */
async function register() {
  const email = `person-${++users}@example.com`
  const { user } = (await call(app, 'POST /auth/register', { body: { email, password: PASSWORD, name: 'User' } })).body
  return user as { id: string; email: string }
}

t.test('a new role signs the user out on every node, and is in the next token', async t => {
  const node = await anotherNode(t, test)
  const user = await register()
  const { accessToken, refreshToken } = (await login(user.email)).body
  const as = { headers: { authorization: `Bearer ${accessToken}` } }
  t.equal(await me(as, node), 200)
  const answer = await patch(user.id, { role: 'moderator' })
  t.match(answer, { status: 200, headers: { etag: '"2"' }, body: { id: user.id, role: 'moderator' } })
  t.equal(await me(as), 401)
  await eventually(async () => (await me(as, node)) === 401, 'the other node refuses')
  t.equal((await call(node, 'POST /auth/refresh', { body: { refreshToken } })).status, 401)
  t.match(decode((await login(user.email)).body.accessToken).claims, { role: 'moderator' })
  t.same(await eventsOf(user.id), ['user.registered', 'user.role_changed'])
  const [event] = await sql(`select actor_id, data from events where type = 'user.role_changed' and target_id = $1`, [
    user.id,
  ])
  t.same(event, { actor_id: admin.id, data: { id: user.id, role: 'moderator', status: 'active' } })
})

t.test('a new name signs nobody out, and neither does a role that stays', async t => {
  const user = await createUser(test)
  t.match((await patch(user.id, { name: 'Other' })).body, { name: 'Other', role: 'user' })
  t.match((await patch(user.id, { role: 'user' })).body, { name: 'Other', role: 'user' })
  t.equal(await me(user), 200)
  t.same(await eventsOf(user.id), ['user.updated', 'user.updated'])
  await patch(user.id, { name: 'Third', role: 'admin' })
  t.same((await eventsOf(user.id)).slice(2), ['user.updated', 'user.role_changed'])
  await patch(user.id, { role: 'user' })
})

t.test('a change of another version is refused and signs nobody out', async t => {
  const user = await createUser(test)
  t.equal((await patch(user.id, { role: 'moderator' }, { headers: { 'if-match': '"7"' } })).status, 412)
  t.equal(await me(user), 200)
  t.same(await eventsOf(user.id), [])
  t.equal((await patch(user.id, { role: 'moderator' }, { headers: { 'if-match': '"1"' } })).status, 200)
})

t.test('who is deactivated is out at once, everywhere, and cannot come back', async t => {
  const node = await anotherNode(t, test)
  const user = await register()
  const { accessToken, refreshToken } = (await login(user.email)).body
  const as = { headers: { authorization: `Bearer ${accessToken}` } }
  t.match((await deactivate(user.id)).body, { id: user.id, status: 'deactivated' })
  t.equal(await me(as), 401)
  await eventually(async () => (await me(as, node)) === 401, 'the other node refuses')
  t.equal((await call(app, 'POST /auth/refresh', { body: { refreshToken } })).status, 401)
  t.match((await login(user.email)).body, { status: 403, code: 'account_deactivated' })
  const { version } = (await sql('select version from users where id = $1', [user.id]))[0]
  t.match(await deactivate(user.id), { status: 200, headers: { etag: `"${version}"` } }, 'twice changes nothing more')

  t.match((await activate(user.id)).body, { status: 'active' })
  t.equal(await me(as), 401, 'the old session stays ended')
  t.equal((await login(user.email)).status, 200)
  await activate(user.id)
  t.same(await eventsOf(user.id), ['user.registered', 'user.deactivated', 'user.activated'])
})

t.test('a sign-in that races a deactivation leaves no session', async t => {
  for (let round = 0; round < 5; round++) {
    const user = await register()
    const logins = Array.from({ length: 4 }, () => login(user.email))
    const [first] = logins
    await Promise.race([first, new Promise(resolve => setTimeout(resolve, round * 20))])
    await deactivate(user.id)
    const answers = await Promise.all(logins)
    const [{ alive }] = await sql(
      'select count(*)::int as alive from sessions where user_id = $1 and ended_at is null',
      [user.id],
    )
    t.equal(alive, 0)
    for (const { status, body } of answers) {
      t.ok(status === 200 || status === 403, String(status))
      if (status === 200) t.equal(await me({ headers: { authorization: `Bearer ${body.accessToken}` } }), 401)
    }
  }
})

t.test('only an admin administers', async t => {
  const user = await createUser(test)
  const moderator = await createUser(test, { role: 'moderator' })
  for (const as of [user, moderator]) {
    t.equal((await patch(user.id, { role: 'admin' }, { as })).status, 403)
    t.equal((await deactivate(user.id, as)).status, 403)
    t.equal((await activate(user.id, as)).status, 403)
  }
  for (const body of [
    { status: 'deactivated' },
    { email: 'a@example.com' },
    { emailVerifiedAt: null },
    { id: user.id },
  ])
    t.equal((await patch(user.id, body)).status, 422, JSON.stringify(body))
  t.same(await eventsOf(user.id), [])
})

t.test('the last active admin stays one', async t => {
  const refusal = { status: 409, code: 'last_admin' }
  t.match((await patch(admin.id, { role: 'user' })).body, refusal)
  t.match((await patch(admin.id, { name: 'Other', role: 'moderator' })).body, refusal)
  t.match((await deactivate(admin.id)).body, refusal)
  const deactivated = await createUser(test, { role: 'admin' })
  await deactivate(deactivated.id)
  t.match((await patch(admin.id, { role: 'user' })).body, refusal, 'a deactivated admin does not count')
  t.equal((await patch(admin.id, { role: 'admin', name: 'Admin' })).status, 200)
  await app.database.transaction(async tx =>
    t.rejects(app.accounts.checkDeletion(tx, admin.id), { code: 'last_admin' }, 'nor may the account go'),
  )
  t.equal(await me(admin), 200)
  t.same(await eventsOf(admin.id), ['user.updated'])
})

t.test('of admins who push each other out at once one remains', async t => {
  const { id } = await createUser(test, { role: 'admin' })
  for (let round = 0; round < 6; round++) {
    await sql(`update users set role = 'admin', status = 'active' where id = any($1)`, [[admin.id, id]])
    const [first, second] = await Promise.all([signIn(test, admin.id, 'admin'), signIn(test, id, 'admin')])
    const out = (target: string, as: As) =>
      round % 2 ? patch(target, { role: 'user' }, { as }) : deactivate(target, as)
    const answers = await Promise.all(
      round < 3 ? [out(id, first), out(admin.id, second)] : [out(admin.id, first), out(id, second)],
    )
    t.same(answers.map(({ status }) => status).toSorted(), [200, 409], `round ${round}`)
    t.equal((await sql(`select from users where role = 'admin' and status = 'active'`)).length, 1)
  }
})
