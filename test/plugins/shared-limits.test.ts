import t, { type Test } from 'tap'
import { type TestApp, testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'
import { eventually } from '../helpers/mail.ts'
import { RedisServer, withoutRedis } from '../helpers/redis.ts'

const LIMIT = 20
const CALLERS = 100
/** A busy machine takes its time; only a Redis that says nothing must be given up. */
const PATIENCE_MS = 60_000
const SILENT_MS = 2_000
const skip = withoutRedis

const ask = async (test: TestApp, from: string): Promise<number> =>
  (await call(test.app, 'GET /nothing', { from })).status
/** Sends requests from one address to all nodes at once; returns how many were let through. */
async function passed(nodes: TestApp[], from: string): Promise<number> {
  const asked = Array.from({ length: CALLERS }, (_, n) => ask(nodes[n % nodes.length] as TestApp, from))
  return (await Promise.all(asked)).filter(status => status !== 429).length
}
const isShared = async ({ app }: TestApp): Promise<boolean> =>
  (await app.inject('/metrics')).body.includes('rate_limits_shared 1')
const allShare = (nodes: TestApp[]) =>
  eventually(async () => (await Promise.all(nodes.map(isShared))).every(Boolean), 'the limits are shared')

async function twoNodes(t: Test, redisTimeoutMs = PATIENCE_MS) {
  const redis = await RedisServer.start(t)
  const options = { rateLimit: LIMIT, redisUrl: redis.url, redisTimeoutMs }
  const nodes = [await testApp(t, options), await testApp(t, options)]
  return { redis, nodes }
}

t.test('two nodes let through what the limit says, together', { skip }, async t => {
  const { nodes } = await twoNodes(t)
  t.equal(await passed(nodes, '192.0.2.1'), LIMIT)
  t.equal(await passed(nodes, '192.0.2.2'), LIMIT, 'another address is counted by itself')
  const { headers } = await call((nodes[0] as TestApp).app, 'GET /nothing', { from: '192.0.2.1' })
  const seconds = Number(headers['retry-after'])
  t.ok(seconds >= 1 && seconds <= 60, 'and say when the window ends')
})

const faults: Record<string, (redis: RedisServer) => Promise<() => unknown>> = {
  async gone(redis) {
    await redis.stop()
    return () => redis.start()
  },
  async silent(redis) {
    redis.freeze()
    return () => redis.thaw()
  },
  full: redis => redis.fill(),
}

for (const [name, begin] of Object.entries(faults)) {
  t.test(`while Redis is ${name} each node counts for itself, and then they share again`, { skip }, async t => {
    const { redis, nodes } = await twoNodes(t, name === 'silent' ? SILENT_MS : PATIENCE_MS)
    t.equal(await passed(nodes, '192.0.2.1'), LIMIT)
    const end = await begin(redis)
    t.equal(await passed(nodes, '192.0.2.2'), nodes.length * LIMIT, 'no request fails, none is without a limit')
    t.strictSame(await Promise.all(nodes.map(isShared)), [false, false], 'a metric says so')
    await end()
    await allShare(nodes)
    t.equal(await passed(nodes, '192.0.2.3'), LIMIT)
  })
}

t.test('a node starts without Redis, and shares when it comes', { skip }, async t => {
  const redis = await RedisServer.start(t)
  await redis.stop()
  const node = await testApp(t, { rateLimit: LIMIT, redisUrl: redis.url, redisTimeoutMs: PATIENCE_MS })
  t.equal(await passed([node], '192.0.2.1'), LIMIT)
  await redis.start()
  await allShare([node])
})

t.test('mails to one address are few from all nodes together', { skip }, async t => {
  const { nodes } = await twoNodes(t)
  const forget = (n: number) =>
    call((nodes[n % 2] as TestApp).app, 'POST /auth/password/forgot', {
      body: { email: 'a@example.com' },
      from: `192.0.2.${n}`,
    })
  const statuses: number[] = []
  for (let n = 0; n < 7; n++) statuses.push((await forget(n)).status)
  t.strictSame(statuses, [202, 202, 202, 202, 202, 429, 429])
})
