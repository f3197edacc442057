import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { connect } from '../faults/postgres.ts'
import { createOrganization } from '../helpers/actors.ts'
import { listen, testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'
import { EventStreamClient } from '../helpers/event-stream.ts'
import { createProject, createTask } from '../helpers/factories.ts'
import { eventually } from '../helpers/mail.ts'

const DELAY_MS = 200
/** A refusal comes sooner. */
const PATIENCE_MS = 200
const WAITING = `select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`
const { app } = await testApp(t, { maxEventLoopDelayMs: DELAY_MS })
const base = await listen(app)

/** Blocks the event loop for longer than a request may wait. */
function block(): void {
  const until = performance.now() + 2 * DELAY_MS
  while (performance.now() < until);
}

t.test('a process that falls behind refuses early and says when to come again; health answers throughout', async t => {
  let blocking = true
  const blocked = (async () => {
    while (blocking) {
      block()
      for (let at = 0; at < 20; at++) await turn()
    }
  })()
  const answer = await eventually(async () => {
    const answer = await fetch(`${base}/api/v1/users/me`)
    return answer.status === 503 && answer
  }, 'it refuses')
  t.match(await answer.json(), { code: 'overloaded', status: 503 })
  t.ok(answer.headers.get('retry-after'))
  t.equal((await fetch(`${base}/health/live`)).status, 200)
  blocking = false
  await blocked
  await eventually(async () => (await fetch(`${base}/api/v1/users/me`)).status === 401, 'it has caught up')
})

t.test('a process answers a bounded number of requests at once and refuses the others immediately', async t => {
  const origin = 'https://app.example'
  const test = await testApp(t, { maxRequestsInFlight: 2, corsOrigins: [origin] })
  const { id, member: as, admin } = await createOrganization(test)
  const path = `GET /projects/${await createProject(test, { organizationId: id })}`
  const url = await listen(test.app)
  const streams = await Promise.all(
    Array.from({ length: 3 }, () => EventStreamClient.open(url, { organizationId: id, as: admin })),
  )
  t.equal((await call(test.app, path, { as })).status, 200, 'open streams are not counted')

  const locker = await connect(test.config.databaseUrl)
  await locker.query('begin; lock table projects in access exclusive mode')
  const waiting = [call(test.app, path, { as }), call(test.app, path, { as })]
  const refused = await eventually(async () => {
    const asked = call(test.app, path, { as: { headers: { ...as.headers, origin } } })
    const answer = await Promise.race([asked, sleep(PATIENCE_MS)])
    return answer?.status === 503 && answer
  }, 'one more is refused')
  t.match(refused, { body: { code: 'overloaded' }, headers: { 'retry-after': /\d/ } })
  t.match(
    refused.headers,
    { 'access-control-allow-origin': origin, 'x-content-type-options': 'nosniff' },
    'a page can read that',
  )
  t.equal((await test.app.inject('/health/live')).statusCode, 200)
  await locker.query('rollback')
  await locker.end()
  t.same(
    (await Promise.all(waiting)).map(({ status }) => status),
    [200, 200],
    'those that were taken are answered',
  )
  t.equal((await call(test.app, path, { as })).status, 200, 'and there is room again')
  for (const stream of streams) await stream.leave()
})

t.test('a client that goes away before its answer takes no place for ever', async t => {
  const test = await testApp(t, { maxRequestsInFlight: 1 })
  const { id, member: as } = await createOrganization(test)
  const projectId = await createProject(test, { organizationId: id })
  const url = await listen(test.app)
  // Once while access is checked and once while the handler waits.
  for (const lock of ['lock table tasks in access exclusive mode', 'select from tasks for update']) {
    const taskId = await createTask(test, { projectId })
    const locker = await connect(test.config.databaseUrl)
    await locker.query('begin')
    await locker.query(lock)
    const leaving = new AbortController()
    const headers = { ...as.headers, connection: 'close' }
    const gone = fetch(`${url}/api/v1/tasks/${taskId}`, { method: 'DELETE', headers, signal: leaving.signal })
    await eventually(async () => (await test.sql(WAITING)).length > 0, 'the request waits for the lock')
    leaving.abort()
    // On a machine that is busy for longer than the limit of a lock it is answered before.
    await gone.catch(() => {})
    await eventually(async () => test.app.connections.size === 0, 'the server knows')
    await locker.query('rollback')
    await locker.end()
    await eventually(
      async () => (await call(test.app, `GET /projects/${projectId}`, { as })).status === 200,
      'there is room again',
    )
  }
})
