import t from 'tap'
import { defineErrors } from '../../../src/lib/errors.ts'
import { newId } from '../../../src/lib/ids.ts'
import { addMember, createOrganization, createUser, PASSWORD, signIn, type TestUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { createProject, createTask } from '../../helpers/factories.ts'
import { awaitMail, eventually } from '../../helpers/mail.ts'

const test = await testApp(t, { works: true })
const { app, sql } = test

/** Users whose deletion a domain refuses. */
const needed = new Set<string>()
const { still_needed } = defineErrors({
  still_needed: { status: 409, title: 'Still needed', help: 'Something needs the account. Hand it over first.' },
})
app.accounts.beforeDeletion(async (_tx, userId) => {
  if (needed.has(userId)) throw still_needed()
})

const remove = (as: Pick<TestUser, 'headers'>, headers: Record<string, string> = {}) =>
  call(app, 'DELETE /users/me', { as, headers })
const login = (email: string) => call(app, 'POST /auth/login', { body: { email, password: PASSWORD } })
const exists = async ({ id }: Pick<TestUser, 'id'>) => (await sql('select from users where id = $1', [id])).length === 1
const eventsOf = async ({ id }: Pick<TestUser, 'id'>) =>
  (await sql(`select type from events where target_id = $1 and type like 'user.%' order by seq`, [id])).map(
    ({ type }: { type: string }) => type,
  )
const eraseAt = async ({ id }: TestUser) => (await sql('select erase_at from users where id = $1', [id]))[0].erase_at

async function due(...users: Pick<TestUser, 'id'>[]) {
  await sql(`update users set erase_at = now() - interval '1 second' where id = any($1)`, [users.map(({ id }) => id)])
}
const run = (job: string) => sql(`insert into jobs.job (name, data) values ($1, '{"payload":{}}')`, [job])
const idle = (job: string) =>
  eventually(
    async () => (await sql(`select from jobs.job where name = $1 and state < 'completed'`, [job])).length === 0,
    `no ${job} is left`,
  )
/** Runs the hourly job and the jobs that it enqueues. */
async function round() {
  await run('auth.due_accounts')
  await idle('auth.due_accounts')
  await idle('auth.erase_account')
}

t.test('who deletes their account is signed out everywhere and told when it is erased', async t => {
  const user = await createUser(test)
  const other = await signIn(test, user.id)
  const { status, body } = await remove(user)
  t.equal(status, 202)
  const days = (Date.parse(body.eraseAt) - Date.now()) / 86_400_000
  t.ok(days > 13.99 && days <= 14, `${days} days`)
  for (const as of [user, other]) t.equal((await call(app, 'GET /users/me', { as })).status, 401)
  t.match(await awaitMail(test, user.email), { subject: 'Your account will be deleted' })
  t.same(await eventsOf(user), ['user.deletion_requested'])
  t.ok(await exists(user), 'nothing is erased yet')
})

t.test('signing in keeps the account, and the owner is told', async t => {
  const user = await createUser(test)
  await remove(user)
  t.equal((await login('nobody@example.com')).status, 401)
  t.not(await eraseAt(user), null)
  t.equal((await login(user.email)).status, 200)
  t.equal(await eraseAt(user), null)
  t.same(await eventsOf(user), ['user.deletion_requested', 'user.deletion_cancelled'])
  t.match(await awaitMail(test, user.email, 2), { subject: 'Your account stays' })
  await round()
  t.ok(await exists(user))
})

t.test('many deletions at once are one, and many sign-ins cancel it once', async t => {
  const user = await createUser(test)
  const answers = await Promise.all(Array.from({ length: 4 }, () => remove(user)))
  t.ok(answers.every(({ status }) => status === 202 || status === 401))
  t.same(await eventsOf(user), ['user.deletion_requested'])
  const logins = await Promise.all(Array.from({ length: 4 }, () => login(user.email)))
  t.ok(logins.every(({ status }) => status === 200))
  t.same(await eventsOf(user), ['user.deletion_requested', 'user.deletion_cancelled'])
})

t.test('under If-Match only the account as it was seen is deleted', async t => {
  const user = await createUser(test)
  t.match((await remove(user, { 'if-match': '"7"' })).body, { status: 412, code: 'precondition_failed' })
  t.equal(await eraseAt(user), null)
  t.equal((await remove(user, { 'if-match': '"1"' })).status, 202)
})

t.test('after the grace period the account is erased with what is its own; the work of its team stays', async t => {
  const organization = await createOrganization(test)
  const user = await createUser(test)
  await addMember(test, organization.id, user.id, 'member')
  const projectId = await createProject(test, { organizationId: organization.id })
  const taskId = await createTask(test, { projectId, assigneeId: user.id })
  await remove(user)
  await round()
  t.ok(await exists(user), 'not before its time')
  await due(user)
  await round()
  t.notOk(await exists(user))
  for (const table of ['profiles', 'settings', 'sessions', 'members', 'tokens', 'identities', 'email_changes'])
    t.equal((await sql(`select from ${table} where user_id = $1`, [user.id])).length, 0, table)
  t.same(await sql('select assignee_id from tasks where id = $1', [taskId]), [{ assignee_id: null }])
  t.same(await eventsOf(user), ['user.deletion_requested', 'user.erased'])
  t.match(await sql(`select actor_type from events where type = 'user.erased' and target_id = $1`, [user.id]), [
    { actor_type: 'system' },
  ])
  t.equal((await call(app, 'GET /users/me', { as: user })).status, 401)
  t.equal((await login(user.email)).status, 401)
  const again = await call(app, 'POST /auth/register', { body: { email: user.email, password: PASSWORD, name: 'New' } })
  t.equal(again.status, 201, 'the address is free')
})

t.test('what another domain objects to is said at once, and postpones the erasure', async t => {
  const [refused, kept, free] = [await createUser(test), await createUser(test), await createUser(test)]
  needed.add(refused.id)
  t.match((await remove(refused)).body, { status: 409, code: 'still_needed' })
  t.equal(await eraseAt(refused), null)
  t.equal((await call(app, 'GET /users/me', { as: refused })).status, 200, 'still signed in')
  await remove(kept)
  await remove(free)
  needed.add(kept.id)
  await due(kept, free)
  await round()
  t.ok(await exists(kept), 'there was an objection meanwhile')
  t.notOk(await exists(free), 'which keeps nobody else')
  needed.delete(kept.id)
  await round()
  t.notOk(await exists(kept), 'until it is gone')
})

t.test('what nobody can use any more is deleted by schedule', async t => {
  t.match(await sql(`select name, cron from jobs.schedule where name like 'auth.%' order by name`), [
    { name: 'auth.due_accounts', cron: /^\d+ \* \* \* \*$/ },
    { name: 'auth.erase_unverified', cron: /^\d+ \* \* \* \*$/ },
    { name: 'auth.expire', cron: /^\d+ \* \* \* \*$/ },
  ])
  const user = await createUser(test)
  const session = (name: string, columns: string) =>
    sql(
      `insert into sessions (id, user_id, user_agent, expires_at, ended_at, last_used_at) values ($1, $2, $3, ${columns})`,
      [newId(), user.id, name],
    )
  await session('live', `now() + interval '1 day', null, now()`)
  await session('ended', `now() + interval '1 day', now() - interval '29 days', now()`)
  await session('long ended', `now() + interval '1 day', now() - interval '31 days', now()`)
  await session('long expired', `now() - interval '31 days', null, now()`)
  await session('long idle', `now() + interval '1 day', null, now() - interval '61 days'`)
  const token = (hash: string, expires: string) =>
    sql(`insert into tokens (hash, purpose, user_id, expires_at) values ($1, 'verify_email', $2, ${expires})`, [
      Buffer.from(hash),
      user.id,
    ])
  await token('good', `now() + interval '1 minute'`)
  await token('expired', `now() - interval '1 second'`)
  await sql(`insert into email_changes (user_id, email, expires_at) values ($1, 'x@example.com', now())`, [user.id])
  await run('auth.expire')
  await idle('auth.expire')
  const left = await sql('select user_agent as name from sessions where user_id = $1 and user_agent is not null', [
    user.id,
  ])
  t.same(left.map(({ name }: { name: string }) => name).toSorted(), ['ended', 'live'])
  t.same(await sql('select hash from tokens where user_id = $1', [user.id]), [{ hash: Buffer.from('good') }])
  t.equal((await sql('select from email_changes where user_id = $1', [user.id])).length, 0)
})
