import t from 'tap'
import { anotherNode, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { awaitLink, awaitMail, eventually, mailsTo, tokenIn } from '../../helpers/mail.ts'

const test = await testApp(t, { works: true, unverifiedLogin: false })
const { app, sql } = test
const PASSWORD = 'correct horse battery'

const register = (email: string, password = PASSWORD) =>
  call(app, 'POST /auth/register', { body: { email, password, name: 'Ada' } })
const verify = (token: string) => call(app, 'POST /auth/verify-email', { body: { token } })
const login = (email: string) => call(app, 'POST /auth/login', { body: { email, password: PASSWORD } })

t.test('who registers gets a mail, and may log in once the address is confirmed', async t => {
  const email = 'Ada@Example.com'
  const answer = await register(email)
  t.equal(answer.status, 201)
  t.match(answer.body.user, { email: 'ada@example.com', name: 'Ada', role: 'user', emailVerifiedAt: null })
  t.notMatch(answer.text, /password|hash|token/i)
  t.match((await login(email)).body, { status: 403, code: 'email_not_verified' })

  const token = tokenIn(await awaitMail(test, 'ada@example.com'))
  t.equal((await verify(token)).status, 204)
  t.match((await login('aDa@example.COM')).body, { tokenType: 'Bearer', user: { email: 'ada@example.com' } })
  t.match((await verify(token)).body, { status: 400, code: 'token_invalid' }, 'a token works once')
  const [{ stored }] = await sql(`select password_hash as stored from users where email = 'ada@example.com'`)
  t.match(stored, /^\$argon2id\$v=19\$m=19456,t=2,p=1\$/)
})

t.test('a known address gets the same answer, another mail, and keeps its account', async t => {
  await register('known@example.com')
  await verify(tokenIn(await awaitMail(test, 'known@example.com')))
  const fresh = await register('fresh@example.com')
  const known = await register('KNOWN@example.com', 'another password')
  t.equal(known.status, fresh.status)
  t.same(Object.keys(known.body.user), Object.keys(fresh.body.user))
  t.match(known.body.user, { email: 'known@example.com', emailVerifiedAt: null, role: 'user', status: 'active' })
  const names = (headers: object) => Object.keys(headers).toSorted()
  t.same(names(known.headers), names(fresh.headers))
  t.match(await awaitMail(test, 'known@example.com', 2), { subject: 'You already have an account' })
  t.equal((await login('known@example.com')).status, 200, 'the password is still the first')
  t.equal((await sql(`select from users where email = 'known@example.com'`)).length, 1)
})

t.test('of many registrations of one address at once one makes the account and all get the same answer', async t => {
  const answers = await Promise.all(Array.from({ length: 5 }, () => register('race@example.com')))
  t.ok(answers.every(({ status }) => status === 201))
  const [{ id }] = await sql(`select id from users where email = 'race@example.com'`)
  t.equal((await sql('select from profiles where user_id = $1', [id])).length, 1)
  t.equal((await sql(`select from events where type = 'user.registered' and target_id = $1`, [id])).length, 1)
})

t.test('a token of a mail is stored only as its hash and ends after a day', async t => {
  await register('late@example.com')
  const token = tokenIn(await awaitMail(test, 'late@example.com'))
  const tables = ['tokens', 'events', 'idempotency_keys', 'users', 'jobs.job']
  for (const table of tables)
    t.equal((await sql(`select from ${table} r where r::text like '%' || $1 || '%'`, [token])).length, 0, table)
  await sql(`update tokens set expires_at = now() - interval '1 second'`)
  t.equal((await verify(token)).status, 400)
  t.equal((await verify('made-up')).status, 400)
})

t.test('whoever did not register is told what the link would do, and how to have the account instead', async t => {
  const email = 'victim@example.com'
  await register(email)
  const { subject, text } = await awaitMail(test, email)
  t.equal(subject, 'Confirm your address')
  t.match(text, 'chose a password')
  t.match(text, /If it was not you, do not follow the link/)
  t.match(text, /"forgot password"/)
  await call(app, 'POST /auth/password/forgot', { body: { email } })
  const body = { token: await awaitLink(test, email, 'reset-password'), password: 'a password of the victim' }
  t.equal((await call(app, 'POST /auth/password/reset', { body })).status, 204)
  t.equal((await login(email)).status, 401, 'the password of whoever registered is worth nothing')
  t.equal((await verify(tokenIn({ text }))).status, 400, 'nor is the link')
})

t.test('what was begun before an address is confirmed ends with that: its owner has not confirmed it', async t => {
  const open = await anotherNode(t, test, { unverifiedLogin: true })
  const email = 'taken@example.com'
  await register(email)
  // The link is older than the request for the change, which must not invalidate it.
  const link = await awaitLink(test, email, 'verify-email')
  const { accessToken } = (await call(open, 'POST /auth/login', { body: { email, password: PASSWORD } })).body
  const as = { headers: { authorization: `Bearer ${accessToken}` } }
  const change = { email: 'mallory@example.com', password: PASSWORD }
  t.equal((await call(open, 'POST /auth/email/change', { as, body: change })).status, 202)
  const token = await awaitLink(test, change.email, 'confirm-email')
  t.equal((await verify(link)).status, 204)
  t.match((await call(app, 'POST /auth/email/confirm', { body: { token } })).body, { code: 'token_invalid' })
  t.equal((await login(email)).status, 200, 'the account keeps the address')
})

t.test('another mail is sent on request, and to an unknown address none', async t => {
  await register('again@example.com')
  await awaitMail(test, 'again@example.com')
  const resend = (email: string) => call(app, 'POST /auth/verify-email/resend', { body: { email } })
  const known = await resend('again@example.com')
  const unknown = await resend('nobody@example.com')
  t.same([known.status, known.text], [unknown.status, unknown.text])
  t.same([known.status, known.text, known.headers['content-type']], [202, '', undefined])
  t.equal((await verify(tokenIn(await awaitMail(test, 'again@example.com', 2)))).status, 204)
  const done = async () =>
    (await sql(`select from jobs.job where state < 'completed' and name = 'auth.registration_mail'`)).length === 0
  await eventually(done, 'the queue is empty')
  t.same(await mailsTo(test, 'nobody@example.com'), [])
})
