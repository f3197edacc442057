import t from 'tap'
import { sha256 } from '../../../src/lib/crypto.ts'
import { newId } from '../../../src/lib/ids.ts'
import { createUser, signIn } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { GoogleVisits } from '../../helpers/google.ts'
import { awaitLink, awaitMail } from '../../helpers/mail.ts'
import { type Person, startProvider } from '../../helpers/provider.ts'
import { newWallet, signInWithWallet, signMessage } from '../../helpers/wallet.ts'

const provider = await startProvider(t)
const test = await testApp(t, { google: provider.google, works: true })
const { app, sql } = test
const google = new GoogleVisits(test, provider)
const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } })
const PASSWORD = 'correct horse battery'

const somebody = (more: Partial<Person> = {}): Person => {
  const sub = newId()
  return { sub, email: `g-${sub}@example.com`, email_verified: true, name: 'Ada Lovelace', ...more }
}
const userWith = async (email: string | undefined) => (await sql('select * from users where email = $1', [email]))[0]
const ownerOf = async ({ sub }: Person) =>
  (await sql(`select user_id from identities where provider = 'google' and subject = $1`, [sub]))[0]?.user_id
const eventsOf = async (userId: string) =>
  (await sql('select type from events where actor_id = $1 order by seq', [userId])).map(
    ({ type }: { type: string }) => type,
  )

t.test('a new person gets an account with a verified address, and the next sign-in finds it', async t => {
  const ada = somebody({ email: `Ada-${newId()}@Example.com` })
  const { status, headers, body } = await google.signIn(ada)
  t.equal(status, 200)
  t.equal(headers['cache-control'], 'no-store')
  t.match(body, {
    tokenType: 'Bearer',
    expiresIn: 900,
    user: { email: ada.email?.toLowerCase(), name: 'Ada Lovelace' },
  })
  t.ok(body.user.emailVerifiedAt)
  t.equal((await call(app, 'GET /users/me', { as: bearer(body.accessToken) })).status, 200)
  t.equal((await google.signIn(ada)).body.user.id, body.user.id)
  t.equal(await ownerOf(ada), body.user.id)
  t.equal((await userWith(ada.email?.toLowerCase())).password_hash, null)
  t.same(await eventsOf(body.user.id), [
    'user.registered',
    'user.email_verified',
    'identity.linked',
    'session.started',
    'session.started',
  ])
})

t.test('the person is known by the subject, whatever becomes of the address', async t => {
  const ada = somebody()
  const { id } = (await google.signIn(ada)).body.user
  t.equal((await google.signIn({ ...ada, email: 'other@example.com' })).body.user.id, id)
  t.equal((await google.signIn({ ...ada, email_verified: false })).body.user.id, id)
  const another = await google.signIn({ ...somebody(), email: 'other@example.com' })
  t.not(another.body.user.id, id)
})

t.test('of many first sign-ins of one person at once one makes the account, and all get it', async t => {
  const ada = somebody()
  const visits = []
  for (let at = 0; at < 5; at++) visits.push(await google.answer(ada))
  const outcomes = await Promise.all(visits.map(({ browser, url }) => google.land(browser, url)))
  const answers = await Promise.all(outcomes.map(({ code }) => google.exchange(code)))
  t.ok(answers.every(({ status }) => status === 200))
  t.equal(new Set(answers.map(({ body }) => body.user.id)).size, 1)
  t.equal((await sql('select from users where email = $1', [ada.email])).length, 1)
})

t.test('a name that Google gives is made to fit, and none is made up for', async t => {
  const names: [string | undefined, string | RegExp][] = [
    [undefined, /^g-/],
    ['  \u0000\u0007 ', /^g-/],
    ['\u200b\u3164', /^g-/],
    ['Zoe\u0308', 'Zo\u00eb'],
    [`${'😀'.repeat(150)}`, '😀'.repeat(100)],
    ['a\ud800b\nc', 'abc'],
  ]
  for (const [name, expected] of names) {
    const { body } = await google.signIn(name === undefined ? { ...somebody(), name } : somebody({ name }))
    t.match(body.user.name, expected)
  }
})

t.test('an address that Google has not verified makes no account and finds none', async t => {
  const user = await createUser(test)
  for (const email_verified of [false, undefined, 'true' as never, 1 as never]) {
    for (const email of [user.email, `nobody-${newId()}@example.com`]) {
      const mallory = { ...somebody({ email }), email_verified }
      t.same(await google.outcome(mallory), { error: 'google_email_unverified' })
      t.equal(await ownerOf(mallory), undefined)
    }
  }
  t.same(await google.outcome({ sub: newId() }), { error: 'google_email_unverified' }, 'no address at all')
  t.equal((await sql(`select from users where email like 'nobody-%'`)).length, 0)
})

/** Creates users; returns for each a Google account with the same address, which Google hosts. */
const manyAuthoritative = async (): Promise<Person[]> => {
  const gmail = `g-${newId()}@gmail.com`
  const [gmailUser, workspaceUser] = [await createUser(test), await createUser(test)]
  await sql('update users set email = $2 where id = $1', [gmailUser.id, gmail])
  return [somebody({ email: gmail.toUpperCase() }), somebody({ email: workspaceUser.email, hd: 'example.com' })]
}

t.test('an address that Google hosts links to the account that has it, which keeps its password', async t => {
  for (const ada of await manyAuthoritative()) {
    const email = ada.email?.toLowerCase() as string
    const { id } = await userWith(email)
    const as = await signIn(test, id)
    const { body } = await google.signIn(ada)
    t.equal(body.user.id, id)
    t.equal((await call(app, 'GET /users/me', { as })).status, 200, 'its sessions go on')
    t.equal((await call(app, 'POST /auth/login', { body: { email, password: 'demo-password' } })).status, 200)
    t.match(await awaitMail(test, email), { subject: 'Your account has another way to sign in' })
  }
})

t.test('any other address that Google has verified enters no account that is there: its owner links it', async t => {
  const [user, unconfirmed] = [await createUser(test), await createUser(test)]
  await sql('update users set email_verified_at = null where id = $1', [unconfirmed.id])
  const refused = { error: 'google_link_required' }
  for (const hd of [undefined, '', 1 as never, true as never, null as never])
    t.same(await google.outcome(somebody({ email: user.email, hd })), refused, `hd ${hd}`)
  t.same(await google.outcome(somebody({ email: user.email.toUpperCase() })), refused)
  t.same(await google.outcome(somebody({ email: unconfirmed.email })), refused, 'whether it is confirmed or not')
  for (const { id } of [user, unconfirmed]) {
    t.equal((await sql('select from identities where user_id = $1', [id])).length, 1, 'nothing is linked')
    t.same(await eventsOf(id), [])
  }
  t.equal((await call(app, 'GET /users/me', { as: unconfirmed })).status, 200, 'and nobody is signed out')
  const ada = somebody({ email: user.email })
  const { browser, url } = await google.link(user)
  t.same(await google.outcome(ada, browser, url), { linked: 'google' })
  t.equal((await google.signIn(ada)).body.user.id, user.id, 'from then on Google is enough')
})

t.test('gmail.com is the end of an address, not a part of it', async t => {
  for (const domain of ['notgmail.com', 'gmail.com.example.com', 'mail.gmail.com', 'googlemail.com']) {
    const [user, email] = [await createUser(test), `g-${newId()}@${domain}`]
    await sql('update users set email = $2 where id = $1', [user.id, email])
    t.same(await google.outcome(somebody({ email })), { error: 'google_link_required' }, domain)
  }
})

/** Registers with the address of another person and prepares ways to keep access to the account. */
async function prehijack(email: string) {
  await call(app, 'POST /auth/register', { body: { email, password: PASSWORD, name: 'Mallory' } })
  const { body } = await call(app, 'POST /auth/login', { body: { email, password: PASSWORD } })
  const wallet = newWallet()
  const { message, signature } = await signMessage(test, wallet)
  const as = bearer(body.accessToken)
  const linked = await call(app, 'POST /auth/wallet/link', { as, body: { message, signature } })
  if (linked.body.code !== 'email_not_verified') throw new Error(linked.text)
  await call(app, 'POST /auth/email/change', { as, body: { email: 'mallory@example.com', password: PASSWORD } })
  return { as, wallet, refreshToken: body.refreshToken, userId: body.user.id as string }
}

t.test('who registered an address and never confirmed it is out when its owner comes with Google', async t => {
  const ada = somebody({ hd: 'example.com' })
  const mallory = await prehijack(ada.email as string)
  const bystander = somebody().email as string
  await prehijack(bystander)
  const linking = await google.link(mallory.as)
  const { body } = await google.signIn(ada)
  t.equal(body.user.id, mallory.userId)
  t.ok(body.user.emailVerifiedAt)
  const login = await call(app, 'POST /auth/login', { body: { email: ada.email, password: PASSWORD } })
  t.equal(login.status, 401, 'the password')
  t.equal((await userWith(ada.email)).password_hash, null)
  t.ok((await userWith(bystander)).password_hash, 'others who have not confirmed theirs keep their password')
  const other = await call(app, 'POST /auth/login', { body: { email: bystander, password: PASSWORD } })
  t.equal(other.status, 200)
  t.equal((await call(app, 'GET /users/me', { as: mallory.as })).status, 401, 'the access token')
  const { refreshToken } = mallory
  t.equal((await call(app, 'POST /auth/refresh', { body: { refreshToken } })).status, 401, 'the refresh token')
  t.not((await signInWithWallet(test, mallory.wallet)).body.user.id, mallory.userId, 'the wallet')
  t.same(
    await google.outcome(somebody(), linking.browser, linking.url),
    { error: 'google_sign_in_failed' },
    'a link begun',
  )
  t.same(await sql('select from email_changes where user_id = $1', [mallory.userId]), [], 'a change of address')
  t.equal((await sql('select from identities where user_id = $1', [mallory.userId])).length, 1)
  const types = await eventsOf(mallory.userId)
  for (const type of ['user.password_removed', 'session.ended', 'user.email_verified']) t.ok(types.includes(type), type)
  t.equal((await call(app, 'GET /users/me', { as: bearer(body.accessToken) })).status, 200, 'the owner is in')
})

t.test('the same when the owner comes by a new password', async t => {
  const email = `victim-${newId()}@example.com`
  const mallory = await prehijack(email)
  await call(app, 'POST /auth/password/forgot', { body: { email } })
  const token = await awaitLink(test, email, 'reset-password')
  t.equal(
    (await call(app, 'POST /auth/password/reset', { body: { token, password: 'a password of Ada' } })).status,
    204,
  )
  t.not((await signInWithWallet(test, mallory.wallet)).body.user.id, mallory.userId, 'the wallet is a stranger')
})

t.test('a link to Google that was begun before the address was confirmed ends with that', async t => {
  const email = `victim-${newId()}@example.com`
  const { as } = await prehijack(email)
  const { browser, url } = await google.link(as)
  const body = { token: await awaitLink(test, email, 'verify-email') }
  t.equal((await call(app, 'POST /auth/verify-email', { body })).status, 204)
  t.same(await google.outcome(somebody(), browser, url), { error: 'google_sign_in_failed' })
})

t.test('who is deactivated is refused in every way in', async t => {
  const [linked, unlinked] = [somebody(), await createUser(test)]
  const { id } = (await google.signIn(linked)).body.user
  const { code } = await google.outcome(linked)
  await sql(`update users set status = 'deactivated' where id = any($1)`, [[id, unlinked.id]])
  t.match((await google.exchange(code)).body, { status: 403, code: 'account_deactivated' }, 'with a code from before')
  t.same(await google.outcome(linked), { error: 'account_deactivated' })
  const byAddress = somebody({ email: unlinked.email, hd: 'example.com' })
  t.same(await google.outcome(byAddress), { error: 'account_deactivated' })
  t.equal(await ownerOf(byAddress), undefined, 'and nothing is linked')
})

t.test('who declines at Google comes back without a code', async t => {
  t.same(await google.outcome(null), { error: 'google_denied' })
})

t.test('a signed-in user links a Google account, whatever its address', async t => {
  const user = await createUser(test)
  const ada = somebody({ email: 'unrelated@example.com', email_verified: false })
  const { browser, answer, url } = await google.link(user)
  t.equal(answer.status, 200)
  t.equal(answer.headers['cache-control'], 'no-store')
  t.same(await google.outcome(ada, browser, url), { linked: 'google' })
  t.equal(await ownerOf(ada), user.id)
  t.equal((await google.signIn(ada)).body.user.id, user.id)
  const again = await google.link(user)
  t.same(await google.outcome(ada, again.browser, again.url), { linked: 'google' }, 'twice is once')
  const other = await google.link(await createUser(test))
  t.same(await google.outcome(ada, other.browser, other.url), { error: 'identity_taken' }, 'but for one account only')
  t.equal(await ownerOf(ada), user.id)
  t.equal((await userWith(user.email)).id, user.id, 'the address stays')
})

t.test('linking asks for the password once the sign-in is ten minutes old', async t => {
  const user = await createUser(test)
  await sql(`update sessions set created_at = now() - interval '11 minutes' where id = $1`, [user.sessionId])
  const statusOf = async (body?: object) => (await google.link(user, undefined, body)).answer.status
  t.same([await statusOf(), await statusOf({}), await statusOf({ password: 'wrong' })], [403, 403, 403])
  t.equal(await statusOf({ password: 'demo-password' }), 200)
})

t.test('a front end that began with a challenge alone can use the code, and takes no other', async t => {
  const verifier = `verifier-${newId()}-${newId()}`
  const start = `${google.api}?challenge=${sha256(verifier).toString('base64url')}`
  const { code } = await google.outcome(somebody(), undefined, start)
  const wrong = { status: 400, code: 'token_invalid' }
  t.match((await google.exchange(code)).body, wrong, 'without the verifier')
  t.match((await google.exchange(code, { verifier: `x${verifier}` })).body, wrong, 'with another')
  t.equal((await google.exchange(code, { verifier })).status, 200)
  const planted = await google.outcome(somebody())
  t.match((await google.exchange(planted.code, { verifier })).body, wrong, 'a code that began without')
})

t.test('signing in with Google keeps an account that was to be deleted', async t => {
  const ada = somebody()
  const { body } = await google.signIn(ada)
  t.equal((await call(app, 'DELETE /users/me', { as: bearer(body.accessToken) })).status, 202)
  t.equal((await google.signIn(ada)).body.user.id, body.user.id)
  t.equal((await userWith(ada.email)).erase_at, null)
})
