import t from 'tap'
import { createUser, PASSWORD, signIn, type TestUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { awaitMail, eventually, mailsTo, tokenIn } from '../../helpers/mail.ts'

const test = await testApp(t, { works: true })
const { app, sql } = test
let addresses = 0

const newAddress = () => `new-${++addresses}@example.com`
const ask = (as: Pick<TestUser, 'headers'>, email: string, password: string | undefined = PASSWORD) =>
  call(app, 'POST /auth/email/change', { as, body: { email, ...(password === '' ? {} : { password }) } })
const confirm = (token: string) => call(app, 'POST /auth/email/confirm', { body: { token } })
const me = async (as: Pick<TestUser, 'headers'>) => (await call(app, 'GET /users/me', { as })).status
const addressOf = async ({ id }: TestUser) => (await sql('select email from users where id = $1', [id]))[0].email
const tokenTo = async (address: string, nth = 1) => tokenIn(await awaitMail(test, address, nth))
const idle = () =>
  eventually(
    async () => (await sql(`select from jobs.job where state < 'completed'`)).length === 0,
    'the queue is empty',
  )

t.test('an address changes when both the old and the new one have confirmed it, in either order', async t => {
  for (const first of ['old', 'new'] as const) {
    const user = await createUser(test)
    const other = await signIn(test, user.id)
    const email = newAddress()
    const answer = await ask(user, email.toUpperCase())
    t.same([answer.status, answer.text], [202, ''])
    const tokens = { old: await tokenTo(user.email), new: await tokenTo(email) }
    const halfway = await confirm(tokens[first])
    t.same(halfway.body, { oldConfirmed: first === 'old', newConfirmed: first === 'new' })
    t.equal(await addressOf(user), user.email, 'one is not enough')
    t.same((await confirm(tokens[first === 'old' ? 'new' : 'old'])).body, { oldConfirmed: true, newConfirmed: true })
    t.equal(await addressOf(user), email)
    t.same([await me(user), await me(other)], [200, 401], 'the session that asked stays')
    for (const address of [user.email, email])
      t.match(await awaitMail(test, address, 2), { subject: 'The address of your account was changed' })
    const types = await sql(`select type from events where target_id = $1 and type like 'user.%' order by seq`, [
      user.id,
    ])
    t.same(
      types.map(({ type }: { type: string }) => type),
      [
        'user.email_change_requested',
        'user.email_change_confirmed',
        'user.email_change_confirmed',
        'user.email_changed',
      ],
    )
    const [{ found }] = await sql(`select count(*)::int as found from events where data::text like '%@%'`)
    t.equal(found, 0, 'no event holds an address')
  }
})

t.test('a token works once, for its change, its purpose and a day', async t => {
  const user = await createUser(test)
  const email = newAddress()
  await ask(user, email)
  const [old, fresh] = [await tokenTo(user.email), await tokenTo(email)]
  for (const [url, body] of [
    ['/auth/verify-email', { token: fresh }],
    ['/auth/password/reset', { token: old, password: 'password of a thief' }],
  ] as const)
    t.equal((await call(app, `POST ${url}`, { body })).status, 400, url)
  t.equal((await confirm(old)).status, 200)
  t.match((await confirm(old)).body, { status: 400, code: 'token_invalid' })
  await sql(`update email_changes set expires_at = now() - interval '1 second' where user_id = $1`, [user.id])
  t.equal((await confirm(fresh)).status, 400, 'the change has expired')
  await sql(`update email_changes set expires_at = now() + interval '1 hour' where user_id = $1`, [user.id])
  await sql(`update tokens set expires_at = now() - interval '1 second' where user_id = $1`, [user.id])
  t.equal((await confirm(fresh)).status, 400, 'the token has expired')
  t.equal(await addressOf(user), user.email)
})

t.test('a newer change ends an older one with all its tokens', async t => {
  const user = await createUser(test)
  const [first, second] = [newAddress(), newAddress()]
  await ask(user, first)
  const older = [await tokenTo(user.email), await tokenTo(first)]
  await ask(user, second)
  const [old, fresh] = [await tokenTo(user.email, 2), await tokenTo(second)]
  for (const token of older) t.equal((await confirm(token)).status, 400)
  await confirm(old)
  await confirm(fresh)
  t.equal(await addressOf(user), second)
})

t.test('both confirmations at once complete the change once', async t => {
  const user = await createUser(test)
  const email = newAddress()
  await ask(user, email)
  const tokens = [await tokenTo(user.email), await tokenTo(email)]
  const answers = await Promise.all([...tokens, ...tokens].map(confirm))
  t.same(answers.map(({ status }) => status).toSorted(), [200, 200, 400, 400])
  t.equal(await addressOf(user), email)
  const changed = await sql(`select from events where type = 'user.email_changed' and target_id = $1`, [user.id])
  t.equal(changed.length, 1)
})

t.test('whose address it is already does not matter to who asks; its owner gets a notice without a link', async t => {
  const [asking, owner] = [await createUser(test), await createUser(test)]
  const [known, unknown] = [await ask(asking, owner.email), await ask(await createUser(test), newAddress())]
  t.same([known.status, known.text], [unknown.status, unknown.text])
  const notice = await awaitMail(test, owner.email)
  t.match(notice.subject, 'This address already has an account')
  t.notMatch(notice.text, /token=/)
  t.equal((await confirm(await tokenTo(asking.email))).status, 200, 'nor to the old address')
})

t.test('an address that somebody registered meanwhile is 409 at the end, and nothing has changed', async t => {
  const user = await createUser(test)
  const email = newAddress()
  await ask(user, email)
  const [old, fresh] = [await tokenTo(user.email), await tokenTo(email)]
  await call(app, 'POST /auth/register', { body: { email, password: PASSWORD, name: 'Faster' } })
  t.equal((await confirm(old)).status, 200)
  t.match((await confirm(fresh)).body, { status: 409, code: 'email_taken' })
  t.equal(await addressOf(user), user.email)
  t.equal(await me(user), 200)
})

t.test('a link to the old address does not survive the change', async t => {
  const user = await createUser(test)
  const email = newAddress()
  await ask(user, email)
  const [old, fresh] = [await tokenTo(user.email), await tokenTo(email)]
  await call(app, 'POST /auth/password/forgot', { body: { email: user.email } })
  const recovery = await tokenTo(user.email, 2)
  await confirm(old)
  await confirm(fresh)
  const body = { token: recovery, password: 'password of a thief' }
  t.equal((await call(app, 'POST /auth/password/reset', { body })).status, 400)
})

t.test('a new password ends a change that was asked for before', async t => {
  const user = await createUser(test)
  const email = newAddress()
  await ask(user, email)
  const tokens = [await tokenTo(user.email), await tokenTo(email)]
  const body = { currentPassword: PASSWORD, newPassword: 'a much better one' }
  t.equal((await call(app, 'POST /auth/password/change', { as: user, body })).status, 204)
  for (const token of tokens) t.equal((await confirm(token)).status, 400)
  t.equal(await addressOf(user), user.email)
})

t.test('only who knows the password asks, and not for the address that is there', async t => {
  const user = await createUser(test)
  const email = newAddress()
  t.match((await ask(user, email, 'wrong')).body, { status: 403, code: 'password_wrong' })
  t.match((await ask(user, email, '')).body, { status: 403, code: 'password_wrong' })
  t.match((await ask(user, user.email)).body, { status: 422, errors: [{ pointer: '#/email' }] })
  t.equal((await sql('select from email_changes where user_id = $1', [user.id])).length, 0)
})

t.test('who has no password has to have signed in just now', async t => {
  const user = await createUser(test)
  await sql('update users set password_hash = null where id = $1', [user.id])
  await sql(`update sessions set created_at = now() - interval '11 minutes' where user_id = $1`, [user.id])
  t.match((await ask(user, newAddress(), '')).body, { status: 403, code: 'reauthentication_required' })
  t.equal((await ask(await signIn(test, user.id), newAddress(), '')).status, 202)
})

t.test('who has no address, or never confirmed it, confirms only the new one', async t => {
  for (const state of ['email = null, password_hash = null', 'email_verified_at = null']) {
    const user = await createUser(test)
    await sql(`update users set ${state} where id = $1`, [user.id])
    const email = newAddress()
    t.equal((await ask(user, email)).status, 202)
    t.same((await confirm(await tokenTo(email))).body, { oldConfirmed: true, newConfirmed: true })
    t.match(await sql('select email, email_verified_at from users where id = $1', [user.id]), [
      { email, email_verified_at: Date },
    ])
    await idle()
    const told = await mailsTo(test, user.email)
    t.notMatch(told, [{ text: /token=/ }], 'no link went to the old one')
    t.equal(told.length, state.startsWith('email =') ? 0 : 1, 'which is told where there is one')
  }
})
