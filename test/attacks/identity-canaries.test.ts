import pg from 'pg'
import t from 'tap'
import { startLintel } from '../faults/lintel.ts'
import { DistantBrowser } from '../helpers/browser.ts'
import { createDatabase } from '../helpers/database.ts'
import { type Person, startProvider } from '../helpers/provider.ts'
import { newWallet } from '../helpers/wallet.ts'
import { Canaries } from './canaries.ts'

const PUBLIC_URL = 'http://localhost:3000'
const SITE = `${PUBLIC_URL}/api/v1/auth/google`
const PAGE = `${PUBLIC_URL}/signed-in`

const provider = await startProvider(t)
const database = await createDatabase()
t.teardown(() => database.drop())
const client = new pg.Client({ connectionString: database.url })
await client.connect()
t.teardown(() => client.end())

// Production refuses a provider without TLS, so this is the test mode, with the most detailed logs.
const env = {
  NODE_ENV: 'test',
  LOG_LEVEL: 'trace',
  TRUST_PROXY: '127.0.0.0/8',
  PUBLIC_URL,
  GOOGLE_CLIENT_ID: provider.google.clientId,
  GOOGLE_CLIENT_SECRET: provider.google.clientSecret,
  GOOGLE_ISSUER: provider.google.issuer,
  OUTBOUND_ALLOW: '127.0.0.1',
}
const lintel = await startLintel(t, { databaseUrl: database.url, env })
const canaries = new Canaries(lintel.base)
const send: Canaries['send'] = (request, sending) => canaries.send(request.replace(' /', ' /api/v1/auth/'), sending)
const told: string[] = []

const somebody = (sub: string): Person => ({ sub, email: `${sub}@example.com`, email_verified: true, name: 'Ada' })

/** Adds every secret in the URL of a sign-in to the canaries. */
function watchAll(url: string): void {
  for (const [name, value] of new URL(url).searchParams)
    if (['state', 'nonce', 'code', 'code_challenge'].includes(name)) canaries.watch(value)
}

async function visit(person: Person | null, change: (url: string) => string = url => url) {
  provider.person = person
  const browser = new DistantBrowser(PUBLIC_URL, lintel.base)
  const back = await browser.follow(SITE, `${SITE}/callback`)
  canaries.watch(browser.jar().get('google') as string)
  for (const url of [...browser.visited, back]) if (url.includes('?')) watchAll(url)
  const landed = await browser.follow(change(back), PAGE)
  if (landed.includes('error=')) told.push(landed)
  else watchAll(landed)
  return new URL(landed).searchParams.get('code')
}

t.test('people come with Google, and some fail', async t => {
  provider.tamper = ({ header, claims }) => canaries.watch(provider.sign(header, claims))
  const verifier = canaries.make().padEnd(43, 'x')
  for (const sub of ['ada', 'ada', 'bob']) {
    const code = await visit(somebody(sub))
    t.equal((await send('POST /exchange', { body: { code, verifier } })).status, 400)
    const { status, body } = await send('POST /exchange', { body: { code } })
    t.equal(status, 200)
    for (const token of [body.accessToken, body.refreshToken]) canaries.watch(token)
    const token = body.accessToken
    const link = await send('POST /google/link', { token, body: { password: canaries.make() } })
    t.equal(link.status, 200)
    watchAll(link.body.url)
    t.equal((await send('POST /exchange', { body: { code } })).status, 400)
  }
  await visit(null)
  await visit({ ...somebody('eve'), email_verified: false })
  await visit(somebody('eve'), url => url.replace(/state=[^&]*/, `state=${canaries.make()}`))
  await visit(somebody('eve'), url => url.replace(/code=[^&]*/, `code=${canaries.make()}`))
  await visit(somebody('eve'), url => `${SITE}/callback?error=${canaries.make()}&${url.split('?')[1]}`)
  provider.tamper = ({ header, claims }) =>
    canaries.watch(provider.sign(header, { ...claims, nonce: canaries.make(), aud: canaries.make() }))
  await visit(somebody('eve'))
  provider.tamper = null
  provider.intercept = ({ url }, response) => {
    if (url !== '/token') return false
    response.writeHead(400, { 'content-type': 'application/json' })
    response.end(JSON.stringify({ error: 'invalid_client', error_description: canaries.make() }))
    return true
  }
  await visit(somebody('eve'))
  provider.intercept = null
  t.equal(told.length, 7)
})

t.test('people come with a wallet, and some fail', async t => {
  const wallet = newWallet()
  const proof = async () => {
    const { body } = await send('POST /wallet/nonce', { body: { address: wallet.address, chainId: 1 } })
    canaries.watch(body.nonce)
    return { message: body.message, signature: canaries.watch(await wallet.signMessage(body)) }
  }
  const body = await proof()
  const { status, body: tokens } = await send('POST /wallet/verify', { body })
  t.equal(status, 200)
  const token = canaries.watch(tokens.accessToken)
  t.equal((await send('POST /wallet/verify', { body })).status, 400)
  const { message, signature } = await proof()
  t.equal((await send('POST /wallet/verify', { body: { message: `${message} `, signature } })).status, 400)
  t.equal((await send('POST /wallet/verify', { body: { message, signature: body.signature } })).status, 400)
  t.equal(
    (await send('POST /wallet/link', { token, body: { message, signature, password: canaries.make() } })).status,
    200,
  )
  const more = { ...(await proof()), more: canaries.make() }
  t.equal((await send('POST /wallet/verify', { body: more })).status, 422)
})

t.test('a fault of the server tells nothing either', async t => {
  const code = await visit(somebody('ada'))
  const wallet = newWallet()
  const { body } = await send('POST /wallet/nonce', { body: { address: wallet.address, chainId: 1 } })
  canaries.watch(body.nonce)
  const proof = { message: body.message, signature: canaries.watch(await wallet.signMessage(body)) }
  await client.query('alter schema public rename to away')
  t.equal((await send('POST /exchange', { body: { code } })).status, 500)
  t.equal((await send('POST /wallet/verify', { body: proof })).status, 500)
  t.equal((await send('GET /google')).status, 500)
  const headers = { cookie: `google=${canaries.make()}` }
  t.equal((await send(`GET /google/callback?code=${canaries.make()}`, { headers })).status, 500)
  await client.query('alter schema away rename to public')
})

t.test('and nothing of it is anywhere: no refusal, no redirect, no line of the log, no row', async t => {
  t.ok(canaries.count > 60, `${canaries.count} secrets were let loose`)
  t.same(canaries.refusalsThatTell(), [])
  t.same(
    told.filter(url => canaries.isTold(url)),
    [],
  )
  t.same(await canaries.tablesThatTell(client), [])
  t.equal(await lintel.end('SIGTERM'), 0)
  const lines = lintel.log().split('\n')
  for (const said of ['"operation":"googleCallback"', 'a sign-in with Google failed', 'invalid_client'])
    t.ok(
      lines.some(line => line.includes(said)),
      `the log was on: ${said}`,
    )
  t.same(
    lines.filter(line => canaries.isTold(line)),
    [],
  )
})
