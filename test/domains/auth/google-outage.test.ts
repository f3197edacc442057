import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { newId } from '../../../src/lib/ids.ts'
import { createUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { GoogleVisits } from '../../helpers/google.ts'
import { type Person, startProvider } from '../../helpers/provider.ts'

const somebody = (): Person => {
  const sub = newId()
  return { sub, email: `g-${sub}@example.com`, email_verified: true, name: 'Ada' }
}
const away = { status: 503, code: 'google_unavailable' }
const patience = 10_000

t.test('without a client every way to Google says so', async t => {
  const test = await testApp(t)
  const off = { status: 404, code: 'google_not_configured' }
  t.match((await call(test.app, 'GET /auth/google')).body, off)
  t.match((await call(test.app, 'GET /auth/google/callback?code=x&state=y')).body, off)
  t.match((await call(test.app, 'POST /auth/google/link', { as: await createUser(test) })).body, off)
})

t.test('while the provider is down it is 503, and once it is back it works without a restart', async t => {
  const provider = await startProvider(t)
  const test = await testApp(t, { google: provider.google })
  const google = new GoogleVisits(test, provider)
  provider.intercept = (_request, response) => {
    response.writeHead(500).end('no')
    return true
  }
  const refused = await call(test.app, 'GET /auth/google')
  t.match(refused.body, away)
  t.equal(refused.headers['retry-after'], '5')
  t.equal(refused.headers['set-cookie'], undefined)
  t.match((await call(test.app, 'POST /auth/google/link', { as: await createUser(test) })).body, away)
  t.same(await test.sql(`select from tokens where purpose = 'google_flow'`), [], 'nothing has begun')
  provider.intercept = (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<p>Welcome to this hotel')
    return true
  }
  t.match((await call(test.app, 'GET /auth/google')).body, away, 'somebody else answers')
  provider.intercept = null
  t.equal((await google.signIn(somebody())).status, 200)
})

t.test('many who wait for the metadata ask for it once', async t => {
  const provider = await startProvider(t)
  const test = await testApp(t, { google: provider.google })
  const answers = await Promise.all(Array.from({ length: 20 }, () => call(test.app, 'GET /auth/google')))
  t.ok(answers.every(({ status }) => status === 302))
  t.same(provider.requests, ['/.well-known/openid-configuration'])
})

t.test('a port where nobody listens is 503 at once', async t => {
  const google = { clientId: 'x', clientSecret: 'x', issuer: 'http://127.0.0.1:9' }
  const test = await testApp(t, { google })
  t.match((await call(test.app, 'GET /auth/google')).body, away)
})

t.test('a provider that never answers is given up, and holds no transaction meanwhile', async t => {
  const silent = createServer(() => {})
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    silent.closeAllConnections()
    silent.close()
  })
  const issuer = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`
  const test = await testApp(t, { google: { clientId: 'x', clientSecret: 'x', issuer }, databasePool: 2 })
  const as = await createUser(test)
  const waiting = Array.from({ length: 4 }, () =>
    call(test.app, 'POST /auth/google/link', { as, headers: { 'idempotency-key': newId() } }),
  )
  t.equal((await call(test.app, 'POST /organizations', { as, body: { name: 'One' } })).status, 201, 'others write')
  for (const answer of await Promise.all(waiting)) t.match(answer.body, away)
})

t.test('a provider that falls silent or fails in the middle sends the browser back with an error', async t => {
  const provider = await startProvider(t)
  const test = await testApp(t, { google: provider.google, databasePool: 2 })
  const google = new GoogleVisits(test, provider)
  const ada = somebody()
  for (const [path, end] of [
    ['/token', true],
    ['/jwks', true],
    ['/token', false],
  ] as const) {
    const { browser, url } = await google.answer(ada)
    provider.intercept = (request, response) => {
      if (request.url !== path) return false
      if (end) response.writeHead(503).end()
      return true
    }
    const landing = google.land(browser, url)
    const as = await createUser(test)
    t.equal((await call(test.app, 'POST /organizations', { as, body: { name: 'One' } })).status, 201, 'others write')
    t.same(await landing, { error: 'google_unavailable' }, path)
    provider.intercept = null
  }
  t.equal((await google.signIn(ada)).status, 200)
})

t.test('a client whose secret is wrong fails with no more than an error', async t => {
  const provider = await startProvider(t)
  const test = await testApp(t, { google: { ...provider.google, clientSecret: 'another' } })
  t.same(await new GoogleVisits(test, provider).outcome(somebody()), { error: 'google_sign_in_failed' })
})
t.setTimeout(6 * patience)
