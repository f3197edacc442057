import t from 'tap'
import { createUser, PASSWORD } from '../helpers/actors.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'

const LIMIT = 5
const limited = (t: Parameters<typeof testApp>[0], more = {}) => testApp(t, { rateLimit: LIMIT, ...more })
/** Returns the statuses of `n` requests. */
async function statuses(n: number, send: (at: number) => ReturnType<typeof call>): Promise<number[]> {
  const seen: number[] = []
  for (let at = 0; at < n; at++) seen.push((await send(at)).status)
  return seen
}
const live = (test: TestApp, from: string, headers: Record<string, string> = {}) =>
  call(test.app, 'GET /nothing', { from, headers })

t.test('past the limit of an address it is 429 with every header that says when to come back', async t => {
  const test = await limited(t)
  t.same(await statuses(LIMIT, () => live(test, '192.0.2.1')), Array(LIMIT).fill(404))
  const { status, headers, body } = await live(test, '192.0.2.1')
  t.equal(status, 429)
  t.match(body, { code: 'rate_limited', status: 429 })
  const seconds = Number(headers['retry-after'])
  t.ok(seconds >= 1 && seconds <= 60)
  t.equal(headers['ratelimit-policy'], `"default";q=${LIMIT};w=60`)
  t.equal(headers.ratelimit, `"default";r=0;t=${seconds}`)
  t.match(headers, {
    'x-ratelimit-limit': String(LIMIT),
    'x-ratelimit-remaining': '0',
    'x-ratelimit-reset': String(seconds),
  })
  t.equal((await live(test, '192.0.2.2')).status, 404, 'another address is free')
})

t.test('an IPv6 customer is one by its /64', async t => {
  const test = await limited(t)
  await statuses(LIMIT, at => live(test, `2001:db8:1:2::${at + 1}`))
  t.equal((await live(test, '2001:db8:1:2:ffff::1')).status, 429)
  t.equal((await live(test, '2001:db8:1:3::1')).status, 404)
})

t.test('a principal is limited from whatever addresses it calls', async t => {
  const test = await limited(t)
  const as = await createUser(test)
  const read = () => call(test.app, 'GET /users/me', { as })
  t.same(await statuses(LIMIT, read), Array(LIMIT).fill(200))
  t.equal((await read()).status, 429)
  t.equal((await call(test.app, 'GET /users/me', { as: await createUser(test) })).status, 200)
})

t.test('X-Forwarded-For counts only from the configured proxies', async t => {
  const open = await limited(t)
  const spoofed = (test: TestApp, from: string) => (at: number) =>
    live(test, from, { 'x-forwarded-for': `198.51.100.${at}` })
  t.same(await statuses(LIMIT + 1, spoofed(open, '192.0.2.1')), [...Array(LIMIT).fill(404), 429], 'no proxy')
  const behind = await limited(t, { trustProxy: ['10.0.0.0/8'] })
  t.same(await statuses(LIMIT + 1, spoofed(behind, '192.0.2.1')), [...Array(LIMIT).fill(404), 429], 'not from a proxy')
  t.same(await statuses(LIMIT + 3, spoofed(behind, '10.1.2.3')), Array(LIMIT + 3).fill(404), 'one each behind it')
  const chain = (at: number) => live(behind, '10.1.2.3', { 'x-forwarded-for': `6.6.6.${at}, 203.0.113.7` })
  t.same(
    await statuses(LIMIT + 1, chain),
    [...Array(LIMIT).fill(404), 429],
    'what the client wrote before it counts not',
  )
})

t.test('guesses at one account are few from wherever they come, and others are free', async t => {
  const test = await testApp(t)
  const guess = (email: string) => call(test.app, 'POST /auth/login', { body: { email, password: 'wrong' } })
  const seen = await statuses(12, at => guess(at % 2 ? 'victim@example.com' : 'VICTIM@example.com'))
  t.same(seen, [...Array(10).fill(401), 429, 429])
  t.equal((await guess('other@example.com')).status, 401)
  const last = await guess('victim@example.com')
  t.equal(last.headers['ratelimit-policy'], '"sensitive";q=10;w=60')
})

t.test('tries without a name are few from one address, which a mail or a wallet may have many behind', async t => {
  const test = await testApp(t)
  const ways: [string, object][] = [
    ['password/reset', { token: 'a-guess', password: 'correct horse battery' }],
    ['verify-email', { token: 'a-guess' }],
    ['exchange', { code: 'a-guess' }],
    ['wallet/nonce', { address: `0x${'0'.repeat(39)}1`, chainId: 1 }],
    ['wallet/verify', { message: 'a guess', signature: `0x${'0'.repeat(130)}` }],
  ]
  const tryAll = (from: string) => (at: number) => {
    const [path, body] = ways[at % ways.length] as [string, object]
    return call(test.app, `POST /auth/${path}`, { body, from })
  }
  const seen = await statuses(60 + ways.length, tryAll('192.0.2.1'))
  t.same(new Set(seen.slice(0, 60)), new Set([400, 200]))
  t.same(
    seen.slice(60),
    ways.map(() => 429),
  )
  t.equal((await tryAll('192.0.2.2')(0)).status, 400, 'another address is free')
})

t.test(
  'strangers have five mails an hour sent to one address, whichever and whether or not it has an account',
  async t => {
    const test = await testApp(t)
    const { email } = await createUser(test)
    const bodyOf = {
      'password/forgot': {},
      'verify-email/resend': {},
      register: { password: 'correct horse battery', name: 'A' },
    }
    const asks = Object.entries(bodyOf).map(
      ([path, more]) =>
        (email: string) =>
          call(test.app, `POST /auth/${path}`, { body: { email, ...more } }),
    )
    const nth = (at: number) => asks[at % asks.length] as (typeof asks)[number]
    const answersOf = async (email: string) => {
      const seen = await statuses(5, at => nth(at)(at % 2 ? email : email.toUpperCase()))
      const refusals = await Promise.all(asks.map(ask => ask(email)))
      return [
        seen,
        refusals.map(({ status, headers, body }) => [status, { ...headers, 'request-id': '', date: '' }, body.code]),
      ]
    }
    const known = await answersOf(email)
    t.same(known, await answersOf(email.replace('user', 'none')))
    t.match(known, [
      [202, 202, 201, 202, 202],
      Array(3).fill([429, { 'ratelimit-policy': '"mail";q=5;w=3600' }, 'rate_limited']),
    ])
    const [{ sent }] = await test.sql(
      `select count(*)::int as sent from jobs.job where data->'payload'->>'email' = $1`,
      [email],
    )
    t.equal(sent, 5)
    t.equal((await nth(0)('other@example.com')).status, 202, 'another address is free')
    const as = await createUser(test)
    const change = { email, password: PASSWORD }
    t.equal(
      (await call(test.app, 'POST /auth/email/change', { as, body: change })).status,
      429,
      'nor by a change of address',
    )
  },
)

t.test('health answers whoever is limited', async t => {
  const test = await limited(t)
  await statuses(LIMIT + 1, () => live(test, '192.0.2.1'))
  t.equal((await call(test.app, 'GET /health/live', { from: '192.0.2.1' })).status, 200)
  t.equal((await call(test.app, 'GET /health/ready', { from: '192.0.2.1' })).status, 200)
})
