import t from 'tap'
import { createUser } from '../helpers/actors.ts'
import { testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'
import { eventually } from '../helpers/mail.ts'

t.test('answers kept for idempotency keys are deleted by schedule when their day is over', async t => {
  const test = await testApp(t, { works: true })
  const { app, sql } = test
  t.match(await sql(`select cron from jobs.schedule where name = 'idempotency.expire'`), [
    { cron: /^\d+ \* \* \* \*$/ },
  ])
  const as = await createUser(test)
  for (const key of ['old', 'new'])
    await call(app, 'POST /organizations', { as, body: { name: 'x' }, headers: { 'idempotency-key': key } })
  await sql(`update idempotency_keys set created_at = now() - interval '25 hours'
    where id = (select id from idempotency_keys order by created_at limit 1)`)
  await sql(`insert into jobs.job (name, data) values ('idempotency.expire', '{"payload":{},"traceparent":null}')`)
  await eventually(async () => (await sql('select from idempotency_keys')).length === 1, 'one is left')
  t.pass('the fresh one stays')
})
