import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import t from 'tap'
import { firstAdminLink } from '../../../src/domains/auth/service/first-admin.ts'
import { hasAdmin } from '../../../src/domains/users/queries/admins.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'

const test = await testApp(t, { unverifiedLogin: false })
const { app, sql, config } = test
const PASSWORD = 'correct horse battery'

const invite = async () => tokenIn(await firstAdminLink(app.database, config.appUrl))
const tokenIn = (text: string) => /token=([\w-]+)/.exec(text)?.[1] as string
const create = (token: string, email: string, password = PASSWORD) =>
  call(app, 'POST /auth/first-admin', { body: { token, email, password, name: 'Admin' } })
const present = async () => (await hasAdmin(app.database, {}))?.present
const admins = () => sql(`select email from users where role = 'admin'`)

t.test('the link makes an admin who can sign in at once, and works once', async t => {
  t.equal(await present(), false)
  const token = await invite()
  const answer = await create(token, 'Root@Example.com')
  t.match(answer, { status: 201, body: { user: { email: 'root@example.com', role: 'admin', status: 'active' } } })
  t.match(answer.body.user.emailVerifiedAt, /Z$/)
  t.equal(await present(), true)
  const { accessToken } = (
    await call(app, 'POST /auth/login', { body: { email: 'root@example.com', password: PASSWORD } })
  ).body
  const as = { headers: { authorization: `Bearer ${accessToken}` } }
  t.equal((await call(app, 'GET /users', { as })).status, 200)
  t.match((await create(token, 'second@example.com')).body, { status: 400, code: 'token_invalid' })
  const events = await sql(`select type, actor_id from events where target_id = $1 order by seq`, [answer.body.user.id])
  t.same(
    events,
    ['user.registered', 'user.role_changed'].map(type => ({ type, actor_id: answer.body.user.id })),
  )
})

t.test('several links at once make one admin, and the others end with the first that is used', async t => {
  const before = (await admins()).length
  const tokens = await Promise.all(Array.from({ length: 4 }, invite))
  const answers = await Promise.all([...tokens, ...tokens].map((token, at) => create(token, `racer-${at}@example.com`)))
  t.same(answers.map(({ status }) => status).toSorted(), [201, ...Array(7).fill(400)])
  t.equal((await admins()).length, before + 1)
  t.equal((await sql(`select from users where email like 'racer-%'`)).length, 1)
  t.equal((await sql(`select from tokens where purpose = 'first_admin'`)).length, 0)
})

t.test('a taken address keeps its account, a weak password is refused, and the link lives on', async t => {
  const token = await invite()
  t.match((await create(token, 'third@example.com', 'password1')).body, { status: 422, code: 'validation_failed' })
  t.match((await create(token, 'ROOT@example.com')).body, { status: 409, code: 'email_taken' })
  t.equal((await create(token, 'third@example.com')).status, 201)
})

t.test('a link ends after half an hour, and no other token stands in for it', async t => {
  const late = await invite()
  await sql(`update tokens set expires_at = now() - interval '1 second'`)
  t.equal((await create(late, 'late@example.com')).status, 400)
  t.equal((await create('made-up', 'late@example.com')).status, 400)
  const other = await invite()
  await sql(`update tokens set purpose = 'verify_email'`)
  t.equal((await create(other, 'late@example.com')).status, 400)
  const [{ seconds }] = await sql(
    `select extract(epoch from max(expires_at) - now())::int as seconds from tokens where purpose = 'verify_email'`,
  )
  t.ok(seconds > 1_700 && seconds <= 1_800, `${seconds} seconds`)
  t.same(await sql(`select from users where email = 'late@example.com'`), [])
})

t.test('the token is stored only as its hash', async t => {
  const token = await invite()
  await create(token, 'hashed@example.com')
  for (const table of ['tokens', 'events', 'users'])
    t.equal((await sql(`select from ${table} r where r::text like '%' || $1 || '%'`, [token])).length, 0, table)
})

t.test('the command prints a link that works', async t => {
  const env = { ...process.env, NODE_ENV: 'test', DATABASE_URL: config.databaseUrl, NODE_OPTIONS: '' }
  const { stdout } = await promisify(execFile)(process.execPath, ['bin/admin.ts'], { env })
  t.equal((await create(tokenIn(stdout), 'command@example.com')).status, 201)
})
