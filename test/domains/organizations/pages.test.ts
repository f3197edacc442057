import t from 'tap'
import { createOrganization } from '../../helpers/actors.ts'
import { listen, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { formIn, openPage, sendForm } from '../../helpers/forms.ts'
import { awaitLink } from '../../helpers/mail.ts'

const test = await testApp(t, { works: true, unverifiedLogin: false })
const { app, sql } = test
const base = await listen(app)
const PASSWORD = 'correct horse battery'
const OVER = /used before, has expired/
let strangers = 0

const login = (email: string) => call(app, 'POST /auth/login', { body: { email, password: PASSWORD } })
const sessions = async () => (await sql('select from sessions')).length

/** Invites an address that no other test uses; returns the page of the mailed link. */
async function invited({ registered = false, role = 'member' } = {}) {
  const email = `stranger-${++strangers}@example.com`
  if (registered) {
    await call(app, 'POST /auth/register', { body: { email, password: PASSWORD, name: 'Ada' } })
    await sql('update users set email_verified_at = now() where email = $1', [email])
  }
  const { id, admin, owner } = await createOrganization(test)
  await call(app, `POST /organizations/${id}/invitations`, { as: admin, body: { email, role } })
  const open = async () => openPage(`${base}/invitation?token=${await awaitLink(test, email, 'invitation')}`)
  const roleOf = async () =>
    (
      await sql(
        `select m.role from members m join users u on u.id = m.user_id where u.email = $1 and m.organization_id = $2`,
        [email, id],
      )
    )[0]?.role
  return { id, admin, owner, email, open, roleOf }
}

t.test('who has no account makes one on the page, and is a member who can sign in', async t => {
  const { email, open, roleOf } = await invited()
  const page = await open()
  t.match(page, { status: 200, text: /with the role member/ })
  t.match(page.text, `An account is made for ${email}`)
  t.equal(await roleOf(), undefined, 'a program that followed the link has accepted nothing')
  const weak = await sendForm(page, base, { name: 'Ada <b>', password: 'password1' })
  t.match(weak, { status: 422, text: /Password is one of the most common/ })
  t.same(formIn(weak).fields, { name: 'Ada <b>', password: '' })
  t.match(await sendForm(weak, base, { name: 'Ada <b>', password: PASSWORD }), { status: 200, text: /member now/ })
  t.equal(await roleOf(), 'member')
  t.equal((await login(email)).status, 200)
  t.match(await sendForm(page, base, { name: 'Eve', password: PASSWORD }), { status: 400, text: OVER })
  t.match(await open(), { status: 400, text: OVER })
})

t.test('who has an account proves it by the password and joins; no session begins', async t => {
  const { email, open, roleOf } = await invited({ registered: true, role: 'viewer' })
  const page = await open()
  t.match(page.text, `${email} has an account`)
  const wrong = await sendForm(page, base, { password: 'not the password' })
  t.match(wrong, { status: 403, text: /password not correct/ })
  t.same(formIn(wrong).fields, { password: '' }, 'the form is kept, the password is not')
  t.equal(await roleOf(), undefined)
  const before = await sessions()
  const joined = await sendForm(wrong, base, { password: PASSWORD })
  t.match(joined, { status: 200, text: /You are a member now/ })
  t.equal(joined.headers.get('set-cookie'), null)
  t.equal(await sessions(), before)
  t.equal(await roleOf(), 'viewer')
  t.match(await sendForm(page, base, { password: PASSWORD }), { status: 400, text: OVER })
})

t.test('an account that comes into being meanwhile is asked for its password', async t => {
  const { email, open, roleOf } = await invited()
  const page = await open()
  await call(app, 'POST /auth/register', { body: { email, password: PASSWORD, name: 'Ada' } })
  await sql('update users set email_verified_at = now() where email = $1', [email])
  const refused = await sendForm(page, base, { name: 'Ada', password: 'another password' })
  t.match(refused, { status: 409, text: /The address has an account/ })
  t.match(await sendForm(refused, base, { password: PASSWORD }), { status: 200 })
  t.equal(await roleOf(), 'member')
})

t.test('an account that may not sign in does not join either', async t => {
  const { email, open, roleOf } = await invited({ registered: true })
  const page = await open()
  for (const [change, complaint] of [
    [`status = 'deactivated'`, /Account deactivated/],
    [`status = 'active', email_verified_at = null`, /Address not verified/],
  ] as const) {
    await sql(`update users set ${change} where email = $1`, [email])
    t.match(await sendForm(page, base, { password: PASSWORD }), { status: 403, text: complaint })
  }
  t.equal(await roleOf(), undefined)
})

t.test('who is a member already is told so, and the invitation stays', async t => {
  const { id, email, open, roleOf } = await invited({ registered: true })
  const page = await open()
  await sql(
    `insert into members (organization_id, user_id, role) select $1, id, 'viewer' from users where email = $2`,
    [id, email],
  )
  t.match(await sendForm(page, base, { password: PASSWORD }), { status: 409, text: /member/i })
  t.equal(await roleOf(), 'viewer')
})

t.test('a revoked or expired invitation says so, and so does that of an organization that is gone', async t => {
  const revoked = await invited()
  const page = await revoked.open()
  await sql('delete from invitations where email = $1', [revoked.email])
  t.match(await sendForm(page, base, { name: 'Ada', password: PASSWORD }), { status: 400, text: OVER })
  const expired = await invited()
  await expired.open()
  await sql(`update invitations set expires_at = now() - interval '1 second' where email = $1`, [expired.email])
  t.match(await expired.open(), { status: 400, text: OVER })
  const gone = await invited()
  await gone.open()
  await sql('update organizations set deleted_at = now() where id = $1', [gone.id])
  t.match(await gone.open(), { status: 400, text: OVER })
})

t.test('the name of an organization is text', async t => {
  const { id, owner, open } = await invited()
  const name = `<script>alert(1)</script>"><img src=x onerror=alert(2)> &lt;`
  await call(app, `PATCH /organizations/${id}`, { as: owner, body: { name } })
  const { html, text } = await open()
  t.notMatch(html, /<script|<img/)
  t.match(text, `join “${name}”`)
})
