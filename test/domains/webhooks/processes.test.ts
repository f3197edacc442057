import t from 'tap'
import { anotherNode, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import {
  createTenant,
  createWebhook,
  DISPATCHING,
  publish,
  receiver,
  settled,
  subscribed,
} from '../../helpers/webhooks.ts'

const test = await testApp(t)
const { sql } = test
const organizationId = await createTenant(test)

t.test('an endpoint goes from a process that stops to the next, and no process without the role delivers', async t => {
  const to = await receiver(t)
  const { id } = await createWebhook(test, { organizationId, url: to.url })
  const first = await anotherNode(t, test, DISPATCHING)
  await subscribed(test)
  const [one] = await publish(test, { organizationId })
  await settled(test, id, 1)
  await first.close()
  t.same(await sql('select lease_until, lease_token from webhooks where id = $1', [id]), [
    { lease_until: null, lease_token: null },
  ])
  const [two] = await publish(test, { organizationId })
  t.equal(to.received.length, 1, 'the app of this test has no worker')
  const second = await anotherNode(t, test, DISPATCHING)
  await settled(test, id, 2)
  t.same(
    to.received.map(request => request.id),
    [one, two],
  )
  const { text } = await call(second, 'GET /metrics')
  t.match(text, /^webhook_attempts_total\{outcome="delivered"\} 1$/m)
  t.match(text, /^webhook_delivery_delay_seconds_count 1$/m)
  t.match(text, /^webhook_backlog_age_seconds 0$/m)
})

t.test('two processes share the endpoints, and no event is on its way twice at once', async t => {
  const to = await receiver(t, (_, response) => void setTimeout(() => response.end(), 5))
  const own = await createTenant(test)
  const endpoints = [1, 2, 3, 4, 5, 6].map(n => createWebhook(test, { organizationId: own, url: `${to.url}${n}` }))
  for (let node = 0; node < 2; node++) await anotherNode(t, test, DISPATCHING)
  for (let batch = 0; batch < 5; batch++)
    await publish(test, ...Array.from({ length: 20 }, () => ({ organizationId: own })))
  for (const { id } of await Promise.all(endpoints)) await settled(test, id, 100)
  t.equal(to.most.twice, 0)
  t.equal(to.received.length, 600, 'each once')
})
