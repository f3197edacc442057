import { generateKeyPairSync } from 'node:crypto'
import t from 'tap'
import { newId } from '../../../src/lib/ids.ts'
import { createUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { Browser } from '../../helpers/browser.ts'
import { call } from '../../helpers/call.ts'
import { GoogleVisits } from '../../helpers/google.ts'
import { type Person, startProvider } from '../../helpers/provider.ts'
import { forge } from '../../helpers/tokens.ts'

const ORIGIN = 'https://app.example.com'
const provider = await startProvider(t)
const test = await testApp(t, { google: provider.google, corsOrigins: [ORIGIN] })
const { app, sql, config } = test
const google = new GoogleVisits(test, provider)
const failed = { error: 'google_sign_in_failed' }
const somebody = (): Person => {
  const sub = newId()
  return { sub, email: `g-${sub}@example.com`, email_verified: true, name: 'Ada' }
}
const isKnown = async ({ sub }: Person) => (await sql('select from identities where subject = $1', [sub])).length > 0
/** Returns the URL with changed parameters; null removes one. */
function changed(url: string, changes: Record<string, string | null>): string {
  const copy = new URL(url)
  for (const [name, value] of Object.entries(changes))
    if (value === null) copy.searchParams.delete(name)
    else copy.searchParams.set(name, value)
  return copy.href
}

t.test('the request to Google carries PKCE, state and nonce, each new and none the cookie', async t => {
  const seen = new Set<string>()
  for (let at = 0; at < 3; at++) {
    const browser = new Browser(test)
    const { status, location = '' } = await browser.visit(google.api)
    t.equal(status, 302)
    const url = new URL(location)
    t.equal(url.origin, provider.google.issuer)
    const { state, nonce, code_challenge, ...rest } = Object.fromEntries(url.searchParams)
    t.same(rest, {
      client_id: 'lintel',
      redirect_uri: `${google.api}/callback`,
      response_type: 'code',
      scope: 'openid email profile',
      code_challenge_method: 'S256',
    })
    const secret = browser.jar().get('google')
    for (const value of [state, nonce, code_challenge, secret]) {
      t.match(value, /^[\w-]{43}$/)
      t.notOk(seen.has(value as string))
      seen.add(value as string)
    }
  }
})

t.test('the cookie is for this host and for requests alone, short-lived, and gone after the callback', async t => {
  const cookieOf = ({ headers }: { headers: Record<string, unknown> }) => String(headers['set-cookie'])
  t.match(
    cookieOf(await call(app, 'GET /auth/google')),
    /^google=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; SameSite=Lax$/,
  )
  const away = await call(app, 'GET /auth/google/callback?code=x', { headers: { cookie: 'google=x' } })
  t.match(
    cookieOf(away),
    /^google=; Max-Age=0; Path=\/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax$/,
  )
  t.same([away.headers['cache-control'], away.headers['referrer-policy'], away.text], ['no-store', 'no-referrer', ''])
  const safe = await testApp(t, { google: provider.google, publicUrl: 'https://api.example.com' })
  t.match(
    cookieOf(await call(safe.app, 'GET /auth/google')),
    /^__Host-google=[\w-]{43}; Max-Age=600; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  )
})

t.test('an answer that was meant for another browser signs nobody in', async t => {
  const ada = somebody()
  const { url } = await google.answer(ada)
  const other = new Browser(test)
  await other.visit(google.api)
  t.same(await google.land(other, url), failed, 'with a cookie of its own')
  t.same(await google.land(new Browser(test), url), failed, 'without any')
  const made = new Browser(test)
  made.jar().set('google', new URL(url).searchParams.get('state') as string)
  t.same(await google.land(made, url), failed, 'with a made-up one')
  t.notOk(await isKnown(ada))
})

t.test('a code of another sign-in is refused: the verifier does not fit', async t => {
  const [ada, mallory] = [somebody(), somebody()]
  const { url: stolen } = await google.answer(ada)
  const { browser, url } = await google.answer(mallory)
  const code = new URL(stolen).searchParams.get('code')
  t.same(await google.land(browser, changed(url, { code })), failed)
  t.notOk(await isKnown(ada))
})

t.test('a callback counts once, also when it comes many times at once', async t => {
  const ada = somebody()
  const { browser, url } = await google.answer(ada)
  const secret = browser.jar().get('google') as string
  const again = () => {
    const same = new Browser(test)
    same.jar().set('google', secret)
    return google.land(same, url)
  }
  const outcomes = await Promise.all(Array.from({ length: 6 }, again))
  t.equal(outcomes.filter(({ code }) => code !== undefined).length <= 1, true)
  t.ok(outcomes.every(({ code, error }) => code !== undefined || error === failed.error))
  t.same(await again(), failed)
})

t.test('a sign-in ends after ten minutes', async t => {
  const ada = somebody()
  const { browser, url } = await google.answer(ada)
  await sql(`update tokens set expires_at = now() - interval '1 second' where purpose = 'google_flow'`)
  t.same(await google.land(browser, url), failed)
  t.notOk(await isKnown(ada))
})

t.test('what the browser brings back is taken as it was sent or not at all', async t => {
  const ada = somebody()
  const wrong: Record<string, string | null>[] = [
    { state: null },
    { state: '' },
    { state: 'x'.repeat(43) },
    { code: null },
    { code: 'made-up' },
    { iss: 'https://accounts.evil.example' },
    { iss: `${provider.google.issuer}/` },
    { iss: null },
    { error: 'server_error' },
    { response: 'a.b.c', code: null },
  ]
  for (const changes of wrong) {
    const { browser, url } = await google.answer(ada)
    const outcome = await google.land(browser, changed(url, changes))
    t.match(outcome, { error: /^google_(sign_in_failed|unavailable)$/ }, JSON.stringify(changes))
  }
  const { browser, url } = await google.answer(ada)
  t.same(await google.land(browser, `${url}&state=${new URL(url).searchParams.get('state')}`), failed, 'a state twice')
  for (const query of ['', '?', '?%', '?state=%00', '?state[]=x', `?code=${'x'.repeat(5_000)}`, '?code=%F0%28%8C%28'])
    t.same(await google.land((await google.answer(ada)).browser, `${google.api}/callback${query}`), failed, query)
  t.notOk(await isKnown(ada))
})

t.test('nothing that is sent along tells the browser where to go', async t => {
  const evil = 'https://evil.example/'
  const names = ['redirect_uri', 'redirect', 'redirectTo', 'next', 'return_to', 'returnTo', 'continue', 'url', 'state']
  for (const name of names) t.equal((await call(app, `GET /auth/google?${name}=${evil}`)).status, 422, name)
  const query = names.map(name => `${name}=${evil}`).join('&')
  const headers = {
    host: 'evil.example',
    'x-forwarded-host': 'evil.example',
    'x-forwarded-proto': 'https',
    origin: evil,
    referer: evil,
  }
  const begun = await call(app, 'GET /auth/google', { headers })
  t.equal(new URL(begun.headers.location as string).searchParams.get('redirect_uri'), `${google.api}/callback`)
  const back = await call(app, `GET /auth/google/callback?${query}`, { headers })
  t.equal(back.headers.location, `${config.appUrl}/signed-in?error=google_sign_in_failed`)
  for (const error of ['access_denied', '<script>', 'x%0d%0aset-cookie: a=b']) {
    const { browser, url } = await google.answer(somebody())
    const state = new URL(url).searchParams.get('state')
    const landed = await browser.follow(`${google.api}/callback?error=${error}&state=${state}`, google.page)
    t.match(landed, /\?error=google_(denied|sign_in_failed)$/, error)
  }
})

t.test('an id token that is not of this provider, for this client, this sign-in and now is refused', async t => {
  const ada = somebody()
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const now = Math.floor(Date.now() / 1000)
  const signed = (changes: object) => (token: { header: object; claims: object }) =>
    provider.sign(token.header, { ...token.claims, ...changes })
  const lies: Record<string, NonNullable<typeof provider.tamper>> = {
    'another nonce': signed({ nonce: 'x'.repeat(43) }),
    'no nonce': signed({ nonce: undefined }),
    'another issuer': signed({ iss: 'https://accounts.evil.example' }),
    'another audience': signed({ aud: 'another-client' }),
    'one more audience': signed({ aud: ['lintel', 'another-client'], azp: 'another-client' }),
    expired: signed({ exp: now - 120, iat: now - 240 }),
    'without an end': signed({ exp: undefined }),
    'without a subject': signed({ sub: undefined }),
    'another key': ({ header, claims }) => forge(header, claims, stranger),
    'a key of nobody': ({ header, claims }) => forge({ ...header, kid: 'other' }, claims, stranger),
    'no signature': ({ header, claims }) => forge({ ...header, alg: 'none' }, claims, null),
    'a secret for a key': ({ header, claims }) =>
      forge({ ...header, alg: 'HS256' }, claims, provider.google.clientSecret),
    'no token': () => '',
  }
  for (const [why, lie] of Object.entries(lies)) {
    const { browser, url } = await google.answer(ada)
    provider.tamper = lie
    t.match(await google.land(browser, url), { error: /^google_(sign_in_failed|unavailable)$/ }, why)
    provider.tamper = null
  }
  t.notOk(await isKnown(ada))
  provider.tamper = signed({})
  t.match(await google.outcome(ada), { code: /./ }, 'and the truth is believed')
  provider.tamper = null
})

t.test('a code for the front end counts once, for a minute, and is no other kind of token', async t => {
  const wrong = { status: 400, code: 'token_invalid' }
  const { code = '' } = await google.outcome(somebody())
  for (const table of ['tokens', 'events', 'jobs.job'])
    t.equal((await sql(`select from ${table} r where r::text like '%' || $1 || '%'`, [code])).length, 0, table)
  for (const path of ['verify-email', 'email/confirm'])
    t.match((await call(app, `POST /auth/${path}`, { body: { token: code } })).body, wrong, path)
  const reset = { token: code, password: 'correct horse battery' }
  t.match((await call(app, 'POST /auth/password/reset', { body: reset })).body, wrong)
  const answers = await Promise.all(Array.from({ length: 10 }, () => google.exchange(code)))
  t.equal(answers.filter(({ status }) => status === 200).length, 1)
  t.match((await google.exchange(code)).body, wrong)
  const late = await google.outcome(somebody())
  await sql(`update tokens set expires_at = expires_at - interval '61 seconds' where purpose = 'exchange'`)
  t.match((await google.exchange(late.code)).body, wrong)
})

t.test('who gets hold of the secret of a sign-in cannot make it a code', async t => {
  const { browser } = await google.answer(somebody())
  t.equal((await google.exchange(browser.jar().get('google'))).status, 400)
})

t.test('a link that another browser follows links nothing, and ends with what else was under way', async t => {
  const [user, ada] = [await createUser(test), somebody()]
  const { url } = await google.link(user)
  t.same(await google.outcome(ada, new Browser(test), url), failed, 'a victim without the cookie')
  const victim = new Browser(test)
  await victim.visit(google.api)
  t.same(await google.outcome(ada, victim, url), failed, 'a victim who is signing in')
  t.notOk(await isKnown(ada))
  const [before, during] = [await google.link(user), await google.link(user)]
  const body = { currentPassword: 'demo-password', newPassword: 'correct horse battery' }
  const { browser, url: answer } = await google.answer(ada, during.browser, during.url)
  provider.intercept = async ({ url }) => {
    if (url === '/token') await call(app, 'POST /auth/password/change', { as: user, body })
    return false
  }
  t.same(await google.land(browser, answer), failed, 'the owner changes the password while Google is asked')
  provider.intercept = null
  t.same(await google.outcome(ada, before.browser, before.url), failed, 'and did so before')
  t.notOk(await isKnown(ada))
})

t.test('a page of a listed origin may have the cookie kept where it links, and nowhere else', async t => {
  const user = await createUser(test)
  const allowed = async (request: string, origin: string) => {
    const preflight = {
      origin,
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    }
    const headers = request.startsWith('OPTIONS') ? preflight : { origin }
    return (await call(app, request, { as: user, headers })).headers['access-control-allow-credentials']
  }
  for (const method of ['OPTIONS', 'POST']) {
    t.equal(await allowed(`${method} /auth/google/link`, ORIGIN), 'true', method)
    t.equal(await allowed(`${method} /auth/google/link`, 'https://evil.example'), undefined, method)
    t.equal(await allowed(`${method} /auth/logout`, ORIGIN), undefined, method)
  }
})
