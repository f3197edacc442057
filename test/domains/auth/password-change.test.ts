import t from 'tap'
import { createUser, PASSWORD, signIn, type TestUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { awaitMail, tokenIn } from '../../helpers/mail.ts'

const test = await testApp(t, { works: true })
const { app, sql } = test
const NEW = 'a much better one'

const change = (as: Pick<TestUser, 'headers'>, currentPassword = PASSWORD, newPassword = NEW) =>
  call(app, 'POST /auth/password/change', { as, body: { currentPassword, newPassword } })
const login = async (email: string, password: string) =>
  (await call(app, 'POST /auth/login', { body: { email, password } })).status
const me = async (as: Pick<TestUser, 'headers'>) => (await call(app, 'GET /users/me', { as })).status

t.test('who knows the password changes it; the other sessions end, this one stays, the owner is told', async t => {
  const user = await createUser(test)
  const other = await signIn(test, user.id)
  t.equal((await change(user)).status, 204)
  t.same([await me(user), await me(other)], [200, 401])
  t.same([await login(user.email, PASSWORD), await login(user.email, NEW)], [401, 200])
  t.match(await awaitMail(test, user.email), { subject: 'Your password was changed' })
  const [event] = await sql(`select actor_id, data from events where type = 'user.password_changed'`)
  t.same(event, { actor_id: user.id, data: { id: user.id, role: 'user', status: 'active' } })
})

t.test('a wrong password is 403, which no client takes for a reason to refresh, and changes nothing', async t => {
  const user = await createUser(test)
  t.match((await change(user, 'wrong')).body, { status: 403, code: 'password_wrong' })
  t.equal(await me(user), 200)
  t.equal(await login(user.email, PASSWORD), 200)
})

t.test('a weak new password is refused before the present one is looked at', async t => {
  const user = await createUser(test)
  for (const weak of ['iloveyou', 'short', 'e\u0301'.repeat(7)])
    t.match((await change(user, 'wrong', weak)).body, { status: 422, errors: [{ pointer: '#/newPassword' }] }, weak)
})

t.test('a stolen access token does not help to guess the password: after ten guesses a minute it is 429', async t => {
  const user = await createUser(test)
  const guesses = Array.from({ length: 14 }, (_, at) => `guess ${at}`)
  const seen: number[] = []
  // Each guess comes from another address; both operations that require the password are used.
  for (const [at, guess] of guesses.entries()) {
    const body = { email: `thief-${at}@example.com`, password: guess }
    const answer = at % 2 ? change(user, guess) : call(app, 'POST /auth/email/change', { as: user, body })
    seen.push((await answer).status)
  }
  t.same(seen, [...Array(10).fill(403), ...Array(4).fill(429)])
  t.equal((await change(user)).status, 429, 'the right one as well')
  t.equal((await change(await createUser(test))).status, 204, 'others are free')
})

t.test('who has no password sets the first one by mail only', async t => {
  const user = await createUser(test)
  await sql('update users set password_hash = null where id = $1', [user.id])
  t.match((await change(user, '')).body, { status: 422 })
  t.match((await change(user)).body, { status: 409, code: 'password_not_set' })
  await sql(`update sessions set created_at = now() - interval '11 minutes' where user_id = $1`, [user.id])
  t.match((await change(user)).body, { status: 409, code: 'password_not_set' })
  t.equal((await sql('select from users where id = $1 and password_hash is null', [user.id])).length, 1)
})

t.test('of two changes at once one wins', async t => {
  const user = await createUser(test)
  const answers = await Promise.all(['first of two', 'second of two'].map(password => change(user, PASSWORD, password)))
  t.same(answers.map(({ status }) => status).toSorted(), [204, 403])
  const winner = answers[0]?.status === 204 ? 'first of two' : 'second of two'
  t.equal(await login(user.email, winner), 200)
})

t.test('a change ends the links that were sent before it', async t => {
  const user = await createUser(test)
  await call(app, 'POST /auth/password/forgot', { body: { email: user.email } })
  const token = tokenIn(await awaitMail(test, user.email))
  await change(user)
  const body = { token, password: 'password of a thief' }
  t.match((await call(app, 'POST /auth/password/reset', { body })).body, { status: 400, code: 'token_invalid' })
})

t.test('with an idempotency key a change happens once and answers twice', async t => {
  const user = await createUser(test)
  const headers = { 'idempotency-key': 'change-once' }
  const body = { currentPassword: PASSWORD, newPassword: NEW }
  const send = () => call(app, 'POST /auth/password/change', { as: user, body, headers })
  t.equal((await send()).status, 204)
  const again = await send()
  t.same([again.status, again.headers['idempotent-replayed']], [204, 'true'])
})
