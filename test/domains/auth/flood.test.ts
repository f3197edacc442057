import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { createUser, PASSWORD } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'

const test = await testApp(t)
const { app } = test
const FLOOD = 300

const login = async (email: string, password: string) =>
  (await call(app, 'POST /auth/login', { body: { email, password } })).status

t.test(
  '300 logins at once, of as many accounts from as many addresses, are answered or shed; others go on',
  async t => {
    const user = await createUser(test)
    let flooding = true
    const started = performance.now()
    const flood = Promise.all(
      Array.from({ length: FLOOD }, (_, at) =>
        at % 10 === 0 ? login(user.email, PASSWORD) : login(`person-${at}@example.com`, 'a wrong password'),
      ),
    ).finally(() => {
      flooding = false
    })
    const waits: number[] = []
    while (flooding) {
      const begun = performance.now()
      t.equal((await call(app, 'GET /users/me', { as: user })).status, 200)
      waits.push(performance.now() - begun)
      await sleep(20)
    }
    const statuses = await flood
    const floodMs = performance.now() - started
    const count = (status: number) => statuses.filter(seen => seen === status).length
    t.same(
      [...new Set(statuses)].filter(status => ![200, 401, 429, 503].includes(status)),
      [],
    )
    t.ok(count(401) > 0, 'some were checked')
    t.ok(count(429) > 0, 'one account does not take all turns')
    t.ok(count(503) > 0, 'what would wait too long is told so')
    t.ok(waits.length > 3, `another route answered ${waits.length} times meanwhile`)
    t.ok(
      Math.max(...waits) < floodMs / 2,
      `at worst after ${Math.round(Math.max(...waits))} of ${Math.round(floodMs)} ms`,
    )
    t.equal(await login('somebody@example.com', 'a wrong password'), 401, 'and then there is room again')
  },
)

t.test('what is shed says when to come back', async t => {
  const answers = await Promise.all(
    Array.from({ length: FLOOD }, (_, at) =>
      call(app, 'POST /auth/register', {
        body: { email: `flood-${at}@example.com`, password: 'a password of mine', name: 'Ada' },
      }),
    ),
  )
  const shed = answers.filter(({ status }) => status === 503)
  t.ok(shed.length > 0)
  t.match(shed[0]?.body, { code: 'overloaded' })
  t.equal(shed[0]?.headers['retry-after'], '1')
  const made = answers.filter(({ status }) => status === 201).length
  t.equal(made + shed.length, FLOOD)
  const [{ users }] = await test.sql(`select count(*)::int as users from users where email like 'flood-%'`)
  t.equal(users, made, 'and left nothing behind')
})
