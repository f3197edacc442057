import t, { type Test } from 'tap'
import { anotherNode, type TestApp, testApp } from '../helpers/app.ts'
import { eventually } from '../helpers/mail.ts'
import { RedisServer, withoutRedis } from '../helpers/redis.ts'

const TOPIC = 'test'
const MANY = 200
const skip = withoutRedis
type App = TestApp['app']

/** Two nodes; `told` sends a new signal from the first and resolves when the second has heard it. */
async function pair(t: Test, redisUrl: string | null = null) {
  const test = await testApp(t, { redisUrl })
  const nodes: [App, App] = [test.app, await anotherNode(t, test)]
  const heard: (string | undefined)[] = []
  nodes[1].signals.on(TOPIC, payload => void heard.push(payload))
  let last = 0
  const told = async () => {
    const text = `signal ${++last}`
    await eventually(async () => {
      await nodes[0].signals.send(TOPIC, text)
      return heard.includes(text)
    }, text)
  }
  return { nodes, heard, told }
}
const allShare = (nodes: App[]) =>
  eventually(async () => nodes.every(({ signals }) => signals.overRedis), 'signals go over Redis')

t.test('a signal reaches other processes by a notification', async t => {
  const { nodes, told, heard } = await pair(t)
  await told()
  for (let n = 0; n < MANY; n++) nodes[0].signals.hint(TOPIC)
  await told()
  t.notOk(heard.includes(''), 'hints are not sent without Redis')
})

t.test('a signal goes over Redis, and as a notification while that is away', { skip }, async t => {
  const redis = await RedisServer.start(t)
  const { nodes, told } = await pair(t, redis.url)
  await allShare(nodes)
  await told()
  await redis.stop()
  await told()
  t.match((await nodes[0].inject('/metrics')).body, /signals_over_redis 0/)
  await redis.start()
  await allShare(nodes)
  await told()
  t.match((await nodes[0].inject('/metrics')).body, /signals_over_redis 1/)
})

t.test('a signal is heard while Redis is silent', { skip }, async t => {
  const redis = await RedisServer.start(t)
  const { nodes, told } = await pair(t, redis.url)
  await allShare(nodes)
  redis.freeze()
  t.teardown(() => redis.thaw())
  await told()
  redis.thaw()
  await told()
})

t.test('many hints are sent as few, and those who may have missed some are told', { skip }, async t => {
  const redis = await RedisServer.start(t)
  const { nodes, heard } = await pair(t, redis.url)
  await allShare(nodes)
  heard.length = 0
  for (let n = 0; n < MANY; n++) nodes[0].signals.hint(TOPIC)
  await eventually(async () => heard.length > 0, 'a hint is heard')
  t.same(heard, [''])
  await redis.stop()
  await redis.start()
  await eventually(async () => heard.includes(undefined), 'signals may have been missed')
})
