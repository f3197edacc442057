import t from 'tap'
import { BATCH_ROWS } from '../../src/database/batches.ts'
import { eraseUnverified } from '../../src/domains/auth/service/erasure.ts'
import { deleteExpiredAnswers } from '../../src/plugins/idempotency/queries.ts'
import { addMember, createOrganization, createUsers } from '../helpers/actors.ts'
import { testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'
import { eventually } from '../helpers/mail.ts'

const test = await testApp(t, { works: true })
const { app, sql } = test
const count = async (table: string) => (await sql(`select count(*)::int as n from ${table}`))[0].n
const insertKeys = (many: number, age: string) =>
  sql(
    `insert into idempotency_keys (id, fingerprint, status, created_at)
      select sha256(random()::text::bytea), 'f', 200, now() - $2::interval from generate_series(1, $1)`,
    [many, age],
  )

t.test('what is old is deleted in batches, each in its own transaction, and nothing else is', async t => {
  await insertKeys(2 * BATCH_ROWS + 5, '2 days')
  await insertKeys(3, '1 hour')
  t.equal(await deleteExpiredAnswers(app.database, {}), BATCH_ROWS)
  await app.database.transaction(tx => app.jobs.runNow(tx, 'idempotency.expire', null))
  await eventually(async () => (await count('idempotency_keys')) === 3, 'the old ones are gone')
})

t.test('rows that somebody has locked are left for the next time', async t => {
  await insertKeys(2, '2 days')
  await app.database.transaction(async tx => {
    await tx.execute(`select from idempotency_keys where created_at < now() - interval '1 day' limit 1 for update`)
    t.equal(await deleteExpiredAnswers(app.database, {}), 1)
  })
  t.equal(await deleteExpiredAnswers(app.database, {}), 1)
})

t.test('accounts that nobody has confirmed within a week are erased, unless somebody is signed in', async t => {
  const register = async (email: string) => {
    await call(app, 'POST /auth/register', { body: { email, password: 'correct horse battery', name: 'New' } })
    return (await sql('select id from users where email = $1', [email]))[0].id
  }
  const [old, young] = [await register('old@example.com'), await register('young@example.com')]
  const [signedIn] = await createUsers(test, {})
  const { id } = await createOrganization(test)
  const lonely = await register('owner@example.com')
  await addMember(test, id, lonely, 'owner')
  await sql(`delete from members where organization_id = $1 and user_id <> $2`, [id, lonely])
  await sql(`update users set created_at = now() - interval '8 days', email_verified_at = null where id = any($1)`, [
    [old, signedIn.id, lonely],
  ])
  t.equal(await app.database.transaction(tx => eraseUnverified(app, tx)), false)
  const left = (await sql('select id from users')).map((user: { id: string }) => user.id)
  t.same(
    [old, young, signedIn.id, lonely].map(user => left.includes(user)),
    [false, true, true, true],
  )
  t.match(await sql(`select type, actor_type from events where target_id = $1 and type = 'user.erased'`, [old]), [
    { actor_type: 'system' },
  ])
})
