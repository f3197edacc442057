import t from 'tap'
import { firstAdminLink } from '../../../src/domains/auth/service/first-admin.ts'
import { listen, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { formIn, openPage, sendForm } from '../../helpers/forms.ts'
import { awaitLink } from '../../helpers/mail.ts'

const test = await testApp(t, { works: true, unverifiedLogin: false })
const { app, sql } = test
const base = await listen(app)
const PASSWORD = 'correct horse battery'
const OVER = /used before, has expired/

const login = (email: string, password = PASSWORD) => call(app, 'POST /auth/login', { body: { email, password } })
const pageOf = (path: string, token: string) => openPage(`${base}/${path}?token=${token}`)

/** Returns the page of the latest mailed link with this path. */
const mailedPage = async (email: string, path: string) => pageOf(path, await awaitLink(test, email, path))

async function register(email: string): Promise<void> {
  await call(app, 'POST /auth/register', { body: { email, password: PASSWORD, name: 'Ada' } })
}

async function verified(email: string): Promise<void> {
  await register(email)
  const { status } = await sendForm(await mailedPage(email, 'verify-email'), base)
  if (status !== 200) throw new Error(`verification: ${status}`)
}

t.test('an address is confirmed by the button, not by the link, and once', async t => {
  const email = 'ada@example.com'
  await register(email)
  const page = await mailedPage(email, 'verify-email')
  t.equal(page.status, 200)
  t.match(page.text, 'Confirm only if it was you')
  t.equal((await login(email)).status, 403, 'a program that followed the link has confirmed nothing')
  t.match(await sendForm(page, base), { status: 200, text: /The address is confirmed/ })
  t.equal((await login(email)).status, 200)
  t.match(await sendForm(page, base), { status: 400, text: OVER })
  t.match(await pageOf('verify-email', formIn(page).hidden.token as string), { status: 400, text: OVER })
})

t.test('a new password is set by the page; a weak one keeps the form and the link', async t => {
  const email = 'reset@example.com'
  await verified(email)
  await call(app, 'POST /auth/password/forgot', { body: { email } })
  const page = await mailedPage(email, 'reset-password')
  for (const [password, complaint] of [
    ['short', /New password must not have fewer than 8 characters/],
    ['password1', /New password is one of the most common/],
  ] as const) {
    const refused = await sendForm(page, base, { password })
    t.match(refused, { status: 422, text: complaint })
    t.same(formIn(refused).fields, { password: '' }, 'a password does not travel back')
    t.notMatch(refused.html, password === 'short' ? '"short"' : password)
  }
  t.match(await sendForm(page, base, { password: 'a better password' }), { status: 200, text: /password is set/ })
  t.equal((await login(email)).status, 401)
  t.equal((await login(email, 'a better password')).status, 200)
  t.match(await sendForm(page, base, { password: 'another password' }), { status: 400, text: OVER })
})

t.test('a change of address is confirmed from both mails, each saying what is left to do', async t => {
  const [before, after] = ['old@example.com', 'new@example.com']
  await verified(before)
  const { accessToken } = (await login(before)).body
  const as = { headers: { authorization: `Bearer ${accessToken}` } }
  await call(app, 'POST /auth/email/change', { as, body: { email: after, password: PASSWORD } })
  const [old, fresh] = [await mailedPage(before, 'confirm-email'), await mailedPage(after, 'confirm-email')]
  t.match(await sendForm(old, base), {
    status: 200,
    text: /mail to the new address completes/,
  })
  t.equal((await login(before)).status, 200)
  t.match(await sendForm(fresh, base), { status: 200, text: /The address is changed/ })
  t.equal((await login(after)).status, 200)
})

t.test('a change of address that met another account says so', async t => {
  const [before, after] = ['keeps@example.com', 'wanted@example.com']
  await verified(before)
  const { accessToken } = (await login(before)).body
  const as = { headers: { authorization: `Bearer ${accessToken}` } }
  await call(app, 'POST /auth/email/change', { as, body: { email: after, password: PASSWORD } })
  const [old, fresh] = [await mailedPage(before, 'confirm-email'), await mailedPage(after, 'confirm-email')]
  await register(after)
  await sendForm(old, base)
  t.match(await sendForm(fresh, base), { status: 409, text: /belongs to another account/ })
})

t.test('the first admin is made by the page; a taken address keeps what was typed, except the password', async t => {
  await verified('taken@example.com')
  const name = `"><script>alert(1)</script>&amp;'`
  const page = await openPage(await firstAdminLink(app.database, base))
  const refused = await sendForm(page, base, { email: 'taken@example.com', name, password: PASSWORD })
  t.match(refused, { status: 409, text: /belongs to another account/ })
  t.same(formIn(refused).fields, { email: 'taken@example.com', name, password: '' })
  t.notMatch(refused.html, '<script')
  const made = await sendForm(refused, base, { email: 'Root@example.com', name, password: PASSWORD })
  t.match(made, { status: 200, text: /root@example.com is an admin now/ })
  t.match((await login('root@example.com')).body, { user: { role: 'admin', name } })
  t.match(await sendForm(page, base, { email: 'b@example.com', name, password: PASSWORD }), { status: 400, text: OVER })
})

t.test('an expired link says so, whether it is opened or its form is sent', async t => {
  const email = 'late@example.com'
  await register(email)
  const page = await mailedPage(email, 'verify-email')
  await sql(`update tokens set expires_at = now() - interval '1 second'`)
  t.match(await sendForm(page, base), { status: 400, text: OVER })
  t.match(await mailedPage(email, 'verify-email'), { status: 400, text: OVER })
})

t.test('a link is good for its own page alone', async t => {
  const email = 'other@example.com'
  await register(email)
  const token = await awaitLink(test, email, 'verify-email')
  for (const path of ['reset-password', 'confirm-email', 'first-admin', 'invitation'])
    t.match(await pageOf(path, token), { status: 400, text: OVER }, path)
})

t.test('coming back from Google is explained', async t => {
  const back = (query: string) => openPage(`${base}/signed-in?${query}`)
  t.match(await back('code=abc-123'), { status: 200, text: /auth\/exchange \{"code":"abc-123"\}/ })
  t.match(await back('linked=google'), { status: 200, text: /is linked/ })
  t.match(await back('error=google_denied'), { status: 200, text: /not allowed to tell who you are/ })
  t.match(await back('error=unheard-of'), { status: 200, text: /Not signed in: unheard-of/ })
  const { status, html } = await back('error=<script>')
  t.equal(status, 422)
  t.notMatch(html, '<script')
})
