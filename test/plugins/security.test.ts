import t from 'tap'
import { createUser } from '../helpers/actors.ts'
import { testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'

const ORIGIN = 'https://app.example.com'
const test = await testApp(t, { corsOrigins: [ORIGIN] })
const { app } = test
const as = await createUser(test)

t.test('a listed origin may read and sees the headers of the contract; any other gets no permission', async t => {
  const from = (origin: string) => call(app, 'GET /users/me', { as, headers: { origin } })
  const { headers } = await from(ORIGIN)
  t.equal(headers['access-control-allow-origin'], ORIGIN)
  t.match(headers.vary, /origin/i)
  const wanted =
    'ETag, Link, Location, Request-Id, Retry-After, RateLimit, RateLimit-Policy, Idempotent-Replayed, Write-Position, Deprecation, Sunset'
  t.equal(headers['access-control-expose-headers'], wanted)
  t.notOk(headers['access-control-allow-credentials'])
  for (const origin of [
    'https://evil.example',
    `${ORIGIN}.evil.example`,
    'null',
    `${ORIGIN}:444`,
    'http://app.example.com',
  ]) {
    const answer = await from(origin)
    t.equal(answer.headers['access-control-allow-origin'], undefined, origin)
  }
})

t.test('a preflight is answered for a listed origin without credentials', async t => {
  const preflight = (origin: string) =>
    call(app, 'OPTIONS /users/me', {
      headers: { origin, 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'authorization' },
    })
  const { status, headers } = await preflight(ORIGIN)
  t.equal(status, 204)
  t.match(headers, { 'access-control-allow-origin': ORIGIN, 'access-control-max-age': '600' })
  t.match(headers['access-control-allow-methods'], /PATCH/)
  t.equal((await preflight('https://evil.example')).headers['access-control-allow-origin'], undefined)
})

t.test('every answer carries the security headers, errors too', async t => {
  for (const request of ['GET /users/me', 'GET /nothing', 'PUT /users/me', 'GET /health/live']) {
    const { headers } = await call(app, request)
    t.match(
      headers,
      {
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'content-security-policy': /default-src 'none'.*frame-ancestors 'none'/,
        'request-id': /^[\w-]{8,64}$/,
      },
      request,
    )
    t.notOk(headers['x-powered-by'] || headers.server)
  }
})

t.test('production asks browsers for HTTPS', async t => {
  const production = await testApp(t, { production: true })
  const { headers } = await call(production.app, 'GET /health/live')
  t.match(headers['strict-transport-security'], /^max-age=63072000/)
})

t.test('Request-Id counts only from a trusted proxy and only when it is short and plain', async t => {
  const open = await call(app, 'GET /health/live', { headers: { 'request-id': 'mine' } })
  t.not(open.headers['request-id'], 'mine')
  const behind = await testApp(t, { trustProxy: ['10.0.0.0/8'] })
  const ask = async (id: string, from: string) =>
    (await call(behind.app, 'GET /nothing', { headers: { 'request-id': id }, from })).headers['request-id']
  t.equal(await ask('proxy-1', '10.0.0.1'), 'proxy-1')
  t.not(await ask('proxy-1', '192.0.2.1'), 'proxy-1')
  for (const bad of ['a b', 'x'.repeat(65), '<script>', '']) t.not(await ask(bad, '10.0.0.1'), bad)
})

t.test('a list is compressed where the client takes it; what has a tag of its bytes is not', async t => {
  const admin = await createUser(test, { role: 'admin' })
  for (let at = 0; at < 30; at++) await createUser(test)
  const headers = { 'accept-encoding': 'gzip' }
  const raw = await app.inject({ url: '/api/v1/users?limit=100', headers: { ...admin.headers, ...headers } })
  t.equal(raw.headers['content-encoding'], 'gzip')
  t.match(raw.headers.vary, /accept-encoding/i)
  const body = { profile: { bio: 'b'.repeat(2_000), company: 'c'.repeat(200), jobTitle: 'j'.repeat(200) } }
  const single = await call(app, 'PATCH /users/me', { as, body, headers })
  t.ok(single.text.length > 2_048)
  t.notOk(single.headers['content-encoding'])
  t.ok(single.headers.etag)
  const plain = await call(app, 'GET /users?limit=100', { as: admin })
  t.notOk(plain.headers['content-encoding'])
})

t.test('metrics ask for their token when there is one', async t => {
  const guarded = await testApp(t, { metricsToken: 'a-token-for-the-metrics-only-0123456789' })
  const ask = (authorization?: string) =>
    call(guarded.app, 'GET /metrics', authorization ? { headers: { authorization } } : {})
  t.equal((await ask()).status, 401)
  t.equal((await ask('Bearer wrong')).status, 401)
  const answer = await ask('Bearer a-token-for-the-metrics-only-0123456789')
  t.match(answer.text, /http_request_duration_seconds_bucket/)
})
