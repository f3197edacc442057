import t from 'tap'
import { createUser } from '../../helpers/actors.ts'
import { anotherNode, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { eventually } from '../../helpers/mail.ts'

const test = await testApp(t, { works: true })
const { app, sql } = test
const waiting = await anotherNode(t, test, { works: false })
const admin = await createUser(test, { role: 'admin' })
const NAME = 'auth.expire'

const schedules = async () => (await call(app, 'GET /platform/schedules?limit=100', { as: admin })).body.data
const run = (name: string, at = app) => call(at, `POST /platform/schedules/${name}/run`, { as: admin })

t.test('the schedules are listed with their last runs, and run when asked', async t => {
  const names = (await schedules()).map(({ name }: { name: string }) => name)
  t.same(names, names.toSorted())
  t.ok(names.includes(NAME) && names.includes('reports.due_digests'))
  t.match(
    (await schedules()).find(({ name }: { name: string }) => name === NAME),
    { cron: '41 * * * *', state: null },
  )
  t.equal((await run(NAME, waiting)).status, 202, 'also by a node that does no jobs')
  const ran = await eventually(
    async () =>
      (await schedules()).find((s: { name: string; state: string }) => s.name === NAME && s.state === 'completed'),
    'the job has run',
  )
  t.ok(ran.startedAt <= ran.completedAt)
})

t.test('only what runs by the clock is run, and only by admins', async t => {
  for (const name of ['auth.registration_mail', 'auth.nothing', 'Robert; drop'])
    t.equal((await run(name)).status, 404, name)
  const user = await createUser(test)
  t.equal((await call(app, `POST /platform/schedules/${NAME}/run`, { as: user })).status, 403)
  t.same(await sql(`select from jobs.job where name = 'auth.registration_mail'`), [])
})
