import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { listen, testApp } from '../helpers/app.ts'
import { eventually } from '../helpers/mail.ts'

const DELAY_MS = 200
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
