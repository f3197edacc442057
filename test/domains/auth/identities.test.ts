import t from 'tap'
import { createUser, type TestUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { awaitMail, eventually } from '../../helpers/mail.ts'
import { newWallet, signInWithWallet, signMessage } from '../../helpers/wallet.ts'

const test = await testApp(t, { works: true })
const { app, sql } = test
type Caller = Pick<TestUser, 'headers'>
const list = async (as: Caller) => (await call(app, 'GET /auth/identities', { as })).body.data
const unlink = (as: Caller, id: string) => call(app, `DELETE /auth/identities/${id}`, { as })
const last = { status: 409, code: 'last_sign_in_method' }

/** Creates a user by a wallet, without an email address and a password. */
async function cameWithWallet() {
  const wallet = newWallet()
  const { accessToken, user } = (await signInWithWallet(test, wallet)).body
  return { id: user.id as string, wallet, headers: { authorization: `Bearer ${accessToken}` } }
}
async function linkAnother(as: Caller): Promise<string> {
  const { message, signature } = await signMessage(test, newWallet())
  return (await call(app, 'POST /auth/wallet/link', { as, body: { message, signature } })).body.id
}

t.test('a user sees their own identities and nobody else’s', async t => {
  const [user, other] = [await createUser(test), await createUser(test)]
  const id = await linkAnother(user)
  const identities = await list(user)
  t.same(
    identities.map(({ provider }: { provider: string }) => provider),
    ['wallet', 'google'],
  )
  t.same(Object.keys(identities[0]), ['id', 'provider', 'subject', 'createdAt'])
  t.equal((await list(other)).length, 1)
  t.equal((await unlink(other, id)).status, 404)
  t.equal((await list(user)).length, 2)
})

t.test('nothing is linked before the address is confirmed: who registered it need not be its owner', async t => {
  const user = await createUser(test)
  await sql('update users set email_verified_at = null where id = $1', [user.id])
  const { message, signature } = await signMessage(test, newWallet())
  const link = () => call(app, 'POST /auth/wallet/link', { as: user, body: { message, signature } })
  t.match((await link()).body, { status: 403, code: 'email_not_verified' })
  t.equal((await list(user)).length, 1)
  await sql('update users set email_verified_at = now() where id = $1', [user.id])
  t.equal((await link()).status, 200)
})

t.test('linking and unlinking are told to the owner and recorded without the subject', async t => {
  const user = await createUser(test)
  const id = await linkAnother(user)
  t.equal((await unlink(user, id)).status, 204)
  t.equal((await unlink(user, id)).status, 404)
  const subjects = await Promise.all([1, 2].map(async nth => (await awaitMail(test, user.email, nth)).subject))
  t.same(subjects.toSorted(), ['Your account has another way to sign in', 'Your account has one way less to sign in'])
  const events = await sql(`select type, data, actor_id from events where target_id = $1 order by seq`, [id])
  const data = { id, userId: user.id, provider: 'wallet' }
  t.same(events, [
    { type: 'identity.linked', data, actor_id: user.id },
    { type: 'identity.unlinked', data, actor_id: user.id },
  ])
})

t.test('the last way to sign in stays', async t => {
  const user = await cameWithWallet()
  const [{ id: first }] = await list(user)
  t.match((await unlink(user, first)).body, last)
  t.equal((await list(user)).length, 1, 'and is still there')
  const second = await linkAnother(user)
  t.equal((await unlink(user, first)).status, 204)
  t.match((await unlink(user, second)).body, last)
  t.equal((await signInWithWallet(test, user.wallet)).body.user.id === user.id, false, 'the old wallet is a stranger')
})

t.test('with a password every identity can go', async t => {
  const user = await createUser(test)
  const [{ id }] = await list(user)
  t.equal((await unlink(user, id)).status, 204)
  t.same(await list(user), [])
})

t.test('of the last two, unlinked at once, one stays', async t => {
  for (let round = 0; round < 5; round++) {
    const user = await cameWithWallet()
    await linkAnother(user)
    const ids = (await list(user)).map(({ id }: { id: string }) => id)
    const statuses = (await Promise.all(ids.map((id: string) => unlink(user, id)))).map(({ status }) => status)
    t.same(statuses.toSorted(), [204, 409])
    t.equal((await list(user)).length, 1)
  }
})

t.test('who came with a wallet can add an address, set a password by mail, and leave', async t => {
  const user = await cameWithWallet()
  const email = `wallet-${user.id}@example.com`
  t.equal((await call(app, 'POST /auth/email/change', { as: user, body: { email } })).status, 202)
  const link = await awaitMail(test, email)
  const token = /token=([\w-]+)/.exec(link.text)?.[1]
  t.match((await call(app, 'POST /auth/email/confirm', { body: { token } })).body, { newConfirmed: true })
  t.match((await call(app, 'GET /users/me', { as: user })).body, { email })
  t.equal((await call(app, 'DELETE /users/me', { as: user })).status, 202)
  t.equal((await signInWithWallet(test, user.wallet)).body.user.id, user.id, 'signing in keeps the account')
  const [{ erase_at }] = await sql('select erase_at from users where id = $1', [user.id])
  t.equal(erase_at, null)
})

t.test('an erased account leaves its wallet free', async t => {
  const user = await cameWithWallet()
  await call(app, 'DELETE /users/me', { as: user })
  await sql(`update users set erase_at = now() - interval '1 second' where id = $1`, [user.id])
  await sql(`insert into jobs.job (name, data) values ('auth.due_accounts', '{"payload":{}}')`)
  await eventually(async () => (await sql('select from users where id = $1', [user.id])).length === 0, 'the erasure')
  t.not((await signInWithWallet(test, user.wallet)).body.user.id, user.id)
})
