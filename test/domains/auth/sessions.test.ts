import t from 'tap'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'

const test = await testApp(t)
const { app, sql } = test
const PASSWORD = 'correct horse battery'
let users = 0

/** Creates a user with one session; returns the response of the login. */
async function signedIn() {
  const email = `user-${++users}@example.com`
  await call(app, 'POST /auth/register', { body: { email, password: PASSWORD, name: 'User' } })
  return { email, ...(await login(email)).body }
}
const login = (email: string, password = PASSWORD) => call(app, 'POST /auth/login', { body: { email, password } })
const refresh = (refreshToken: string) => call(app, 'POST /auth/refresh', { body: { refreshToken } })
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
const sessionOf = (refreshToken: string) => refreshToken.split('.', 1)[0] as string
const me = (token: string) => call(app, 'GET /users/me', { as: bearer(token) })
/** Moves the last use of a session back by `interval`. */
const age = (refreshToken: string, interval: string) =>
  sql(`update sessions set last_used_at = last_used_at - $2::interval where id = $1`, [
    sessionOf(refreshToken),
    interval,
  ])

t.test('a wrong password and an unknown address get the same answer', async t => {
  const { email } = await signedIn()
  const wrong = await login(email, 'wrong password')
  const unknown = await login('nobody@example.com')
  t.match(wrong.body, { status: 401, code: 'invalid_credentials' })
  t.same({ ...wrong.body, requestId: '' }, { ...unknown.body, requestId: '' })
})

t.test('who is deactivated cannot log in, and learns it only with the right password', async t => {
  const { email, refreshToken } = await signedIn()
  await sql(`update users set status = 'deactivated' where email = $1`, [email])
  t.match((await login(email)).body, { status: 403, code: 'account_deactivated' })
  t.match((await login(email, 'wrong password')).body, { status: 401 })
  t.equal((await refresh(refreshToken)).status, 401, 'nor refresh')
})

t.test('an unverified address logs in where the configuration says so', async t => {
  const { status, headers } = await login((await signedIn()).email)
  t.same([status, headers['cache-control']], [200, 'no-store'])
})

t.test('a refresh gives new tokens that work, and the next refresh token is another', async t => {
  const first = await signedIn()
  const second = (await refresh(first.refreshToken)).body
  const third = (await refresh(second.refreshToken)).body
  t.equal(new Set([first, second, third].map(({ refreshToken }) => refreshToken)).size, 3)
  t.equal((await me(third.accessToken)).status, 200)
  t.match(third, { tokenType: 'Bearer', expiresIn: 900 })
})

t.test('the token just used gets the same successor for ten seconds', async t => {
  const { refreshToken } = await signedIn()
  const once = await refresh(refreshToken)
  const again = await refresh(refreshToken)
  t.equal(again.body.refreshToken, once.body.refreshToken)
  await age(refreshToken, '9 seconds')
  t.equal((await refresh(refreshToken)).body.refreshToken, once.body.refreshToken)
  t.equal((await refresh(once.body.refreshToken)).status, 200, 'the successor is good')
})

t.test('a token used after its ten seconds ends the session', async t => {
  const { refreshToken } = await signedIn()
  const next = (await refresh(refreshToken)).body.refreshToken
  await age(refreshToken, '11 seconds')
  t.match((await refresh(refreshToken)).body, { status: 401, code: 'refresh_token_invalid' })
  t.equal((await refresh(next)).status, 401, 'the thief and the owner are both out')
  const events = await sql(`select type from events where target_id = $1 order by seq`, [sessionOf(refreshToken)])
  t.same(events, [{ type: 'session.started' }, { type: 'session.reuse_detected' }])
})

t.test('a token older than the one before ends the session at once', async t => {
  const { refreshToken } = await signedIn()
  const next = (await refresh(refreshToken)).body.refreshToken
  const last = (await refresh(next)).body.refreshToken
  t.equal((await refresh(refreshToken)).status, 401)
  t.equal((await refresh(last)).status, 401)
})

t.test('50 refreshes at once all get one successor', async t => {
  const { refreshToken } = await signedIn()
  const answers = await Promise.all(Array.from({ length: 50 }, () => refresh(refreshToken)))
  t.ok(answers.every(({ status }) => status === 200))
  t.equal(new Set(answers.map(({ body }) => body.refreshToken)).size, 1)
  const [{ generation }] = await sql('select generation from sessions where id = $1', [sessionOf(refreshToken)])
  t.equal(generation, 1)
})

t.test('a thief and an owner who refresh at once do not both go on', async t => {
  for (let round = 0; round < 5; round++) {
    const first = (await signedIn()).refreshToken
    const stolen = (await refresh(first)).body.refreshToken
    await age(first, '11 seconds')
    const racing = [first, stolen, first, stolen, stolen, first]
    const answers = await Promise.all(racing.map(refresh))
    const issued = answers.flatMap(({ status, body }) => (status === 200 ? [body] : []))
    for (const [at, { status }] of answers.entries()) if (racing[at] === first) t.equal(status, 401)
    for (const { refreshToken, accessToken } of issued)
      t.same([(await refresh(refreshToken)).status, (await me(accessToken)).status], [401, 401])
    const events = await sql(`select type from events where target_id = $1 and type <> 'session.started'`, [
      sessionOf(first),
    ])
    t.same(events, [{ type: 'session.reuse_detected' }], 'it is recorded once')
  }
})

t.test('a session ends after 30 days without use and 90 days in all', async t => {
  const idle = await signedIn()
  await age(idle.refreshToken, '30 days 1 second')
  t.equal((await refresh(idle.refreshToken)).status, 401)
  const old = await signedIn()
  await sql(`update sessions set expires_at = now() - interval '1 second' where id = $1`, [sessionOf(old.refreshToken)])
  t.equal((await refresh(old.refreshToken)).status, 401)
})

t.test('a token that was not issued here is refused, whatever part of it is changed', async t => {
  const { refreshToken, accessToken } = await signedIn()
  const other = await signedIn()
  const [id, generation, mac] = refreshToken.split('.')
  const forged = [
    `${id}.${Number(generation) + 1}.${mac}`,
    `${sessionOf(other.refreshToken)}.${generation}.${mac}`,
    `${id}.${generation}.${mac.slice(0, -1)}${mac.endsWith('A') ? 'B' : 'A'}`,
    `${id}.${generation}.`,
    `${id}.${generation}`,
    `${id}..${mac}`,
    `${id}.0${generation}.${mac}`,
    '..',
    accessToken,
  ]
  for (const token of forged) t.equal((await refresh(token)).status, 401, token)
  t.equal((await refresh(refreshToken)).status, 200, 'and ends nothing')
})

t.test('logout ends this session, the others, or all, and no other user’s', async t => {
  const stranger = await signedIn()
  for (const [scope, alive] of [
    [undefined, [false, true]],
    ['session', [false, true]],
    ['others', [true, false]],
    ['all', [false, false]],
  ] as const) {
    const first = await signedIn()
    const second = (await login(first.email)).body
    const body = scope === undefined ? {} : { body: { scope } }
    t.equal(
      (await call(app, 'POST /auth/logout', { as: bearer(first.accessToken), ...body })).status,
      204,
      `logout of ${scope}`,
    )
    const answers = [await refresh(first.refreshToken), await refresh(second.refreshToken)]
    t.same(
      answers.map(({ status }) => status === 200),
      alive,
      `sessions after logout of ${scope}`,
    )
  }
  t.equal((await refresh(stranger.refreshToken)).status, 200)
})

t.test('no secret of a session is stored', async t => {
  const { refreshToken, accessToken } = await signedIn()
  for (const table of ['sessions', 'events', 'idempotency_keys'])
    for (const secret of [refreshToken, refreshToken.split('.')[2], accessToken])
      t.equal((await sql(`select from ${table} r where r::text like '%' || $1 || '%'`, [secret])).length, 0, table)
})
