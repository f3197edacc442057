import t from 'tap'
import { sha256 } from '../../../src/lib/crypto.ts'
import { createUser, PASSWORD, signIn, type TestUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { awaitMail, eventually, mailsTo, tokenIn } from '../../helpers/mail.ts'

const test = await testApp(t, { works: true, unverifiedLogin: false })
const { app, sql } = test
const NEW = 'a much better one'

const forgot = (email: string) => call(app, 'POST /auth/password/forgot', { body: { email } })
const reset = (token: string, password = NEW, from?: string) =>
  call(app, 'POST /auth/password/reset', { body: { token, password }, ...(from ? { from } : {}) })
const login = async (email: string, password: string) =>
  (await call(app, 'POST /auth/login', { body: { email, password } })).status
const events = async (id: string) =>
  (await sql('select type from events where target_id = $1 order by seq', [id])).map(
    ({ type }: { type: string }) => type,
  )

/** Requests a reset for the user; returns the token in the mail. */
async function askedBy({ email }: TestUser, nth = 1): Promise<string> {
  await forgot(email)
  return tokenIn(await awaitMail(test, email, nth))
}

t.test('a link of a mail sets a new password, ends every session and tells the owner', async t => {
  const user = await createUser(test)
  const other = await signIn(test, user.id)
  const answer = await forgot(user.email.toUpperCase())
  t.same([answer.status, answer.text], [202, ''])
  const mail = await awaitMail(test, user.email)
  t.match(mail.text, /^http:\/\/localhost:3000\/reset-password\?token=[\w-]{43}$/m)
  t.equal((await reset(tokenIn(mail))).status, 204)
  t.same([await login(user.email, PASSWORD), await login(user.email, NEW)], [401, 200])
  for (const as of [user, other]) t.equal((await call(app, 'GET /users/me', { as })).status, 401)
  t.match(await awaitMail(test, user.email, 2), { subject: 'Your password was changed' })
  t.same(await events(user.id), ['user.password_reset_requested', 'user.password_reset'])
  const [asked] = await sql(
    `select actor_type, address from events where type = 'user.password_reset_requested'
    and target_id = $1`,
    [user.id],
  )
  t.match(asked, { actor_type: 'system', address: /^10\./ }, 'the log says from where it was asked')
})

t.test('a known and an unknown address get the same answer, and only the known one a mail', async t => {
  const { email } = await createUser(test)
  const [known, unknown] = [await forgot(email), await forgot('nobody@example.com')]
  t.same([known.status, known.text], [unknown.status, unknown.text])
  t.same(Object.keys(known.headers).toSorted(), Object.keys(unknown.headers).toSorted())
  await awaitMail(test, email)
  const waiting = `select from jobs.job where state < 'completed' and name = 'auth.password_reset_mail'`
  await eventually(async () => (await sql(waiting)).length === 0, 'the queue is empty')
  t.same(await mailsTo(test, 'nobody@example.com'), [])
})

t.test('who has no password sets the first one, and reading the mail confirms the address', async t => {
  const user = await createUser(test)
  await sql('update users set password_hash = null, email_verified_at = null where id = $1', [user.id])
  t.equal((await reset(await askedBy(user))).status, 204)
  t.equal(await login(user.email, NEW), 200)
  t.match(await events(user.id), ['user.password_reset_requested', 'user.password_reset', 'user.email_verified'])
})

t.test('a deactivated user gets no link', async t => {
  const user = await createUser(test)
  await sql(`update users set status = 'deactivated' where id = $1`, [user.id])
  await forgot(user.email)
  const marker = await createUser(test)
  await askedBy(marker)
  t.same(await mailsTo(test, user.email), [])
})

t.test('a token works once, also when it comes many times at once', async t => {
  const user = await createUser(test)
  const token = await askedBy(user)
  const answers = await Promise.all(Array.from({ length: 6 }, (_, at) => reset(token, `password number ${at}`)))
  const statuses = answers.map(({ status }) => status)
  t.same(statuses.toSorted(), [204, 400, 400, 400, 400, 400])
  t.equal(await login(user.email, `password number ${statuses.indexOf(204)}`), 200)
  t.match((await reset(token)).body, { status: 400, code: 'token_invalid' })
})

t.test('a newer link ends the older ones, and the use of one ends all', async t => {
  const user = await createUser(test)
  const first = await askedBy(user)
  const second = await askedBy(user, 2)
  t.equal((await reset(first)).status, 400)
  t.equal((await reset(second)).status, 204)
  t.equal((await sql('select from tokens where user_id = $1', [user.id])).length, 0)
})

t.test('a token is 256 random bits, stored as its hash for 30 minutes', async t => {
  const user = await createUser(test)
  const token = await askedBy(user)
  t.equal(Buffer.from(token, 'base64url').length, 32)
  const [row] = await sql(
    `select hash, purpose, extract(epoch from expires_at - now())::int as seconds from tokens where user_id = $1`,
    [user.id],
  )
  t.match(row, { hash: sha256(token), purpose: 'reset_password' })
  t.ok(row.seconds > 1_780 && row.seconds <= 1_800)
  await sql(`update tokens set expires_at = now() - interval '1 second' where user_id = $1`, [user.id])
  t.match((await reset(token)).body, { status: 400, code: 'token_invalid' })
  t.equal(await login(user.email, PASSWORD), 200, 'the password is as it was')
})

t.test('a weak password leaves the token good', async t => {
  const user = await createUser(test)
  const token = await askedBy(user)
  t.match((await reset(token, 'iloveyou')).body, { status: 422, errors: [{ pointer: '#/password' }] })
  t.equal((await reset(token, 'short')).status, 422)
  t.equal((await reset(token)).status, 204)
})

t.test('a token of another purpose is none, and stays good for its own', async t => {
  const user = await createUser(test)
  await sql('update users set email_verified_at = null where id = $1', [user.id])
  await call(app, 'POST /auth/verify-email/resend', { body: { email: user.email } })
  const verification = tokenIn(await awaitMail(test, user.email))
  const recovery = await askedBy(user, 2)
  t.equal((await reset(verification)).status, 400)
  t.equal((await call(app, 'POST /auth/verify-email', { body: { token: recovery } })).status, 400)
  t.equal((await call(app, 'POST /auth/email/confirm', { body: { token: recovery } })).status, 400)
  t.equal((await call(app, 'POST /auth/verify-email', { body: { token: verification } })).status, 204)
  t.equal((await reset(recovery)).status, 204)
})

t.test('the token of one user changes nothing of another', async t => {
  const [owner, other] = [await createUser(test), await createUser(test)]
  await reset(await askedBy(owner))
  t.equal(await login(other.email, PASSWORD), 200)
  t.equal((await call(app, 'GET /users/me', { as: other })).status, 200)
})

t.test('a link leads to the configured front end, whatever Host the request names', async t => {
  const { email } = await createUser(test)
  const headers = { host: 'evil.example', 'x-forwarded-host': 'evil.example', origin: 'https://evil.example' }
  await call(app, 'POST /auth/password/forgot', { body: { email }, headers })
  t.notMatch((await awaitMail(test, email)).text, /evil/)
})
