import pg from 'pg'
import t from 'tap'
import { newApiKey } from '../../src/lib/keys.ts'
import { startLintel } from '../faults/lintel.ts'
import { createDatabase } from '../helpers/database.ts'
import { awaitLink, awaitMail, eventually } from '../helpers/mail.ts'
import { type Answer, Canaries } from './canaries.ts'

const database = await createDatabase()
t.teardown(() => database.drop())
const client = new pg.Client({ connectionString: database.url })
await client.connect()
t.teardown(() => client.end())

// Production settings, but with the most detailed logs.
// Nobody listens on port 1.
const env = { LOG_LEVEL: 'trace', TRUST_PROXY: '127.0.0.0/8', OUTBOUND_ALLOW: '127.0.0.1:1' }
const lintel = await startLintel(t, { databaseUrl: database.url, env })
const canaries = new Canaries(lintel.base)
const send: Canaries['send'] = (request, sending) => canaries.send(request.replace(' /', ' /api/v1/'), sending)

const mailbox = { config: lintel }
/** Returns the token in the mail number `nth` to an address. */
async function mailed(email: string, nth: number): Promise<string> {
  const { text } = await awaitMail(mailbox, email, nth)
  return canaries.watch(/[?&#]token=([\w.-]+)/.exec(text)?.[1] as string)
}

function watchTokens({ body }: Answer): { accessToken: string; refreshToken: string } {
  canaries.watch(body.accessToken)
  canaries.watch(body.refreshToken)
  return body
}

async function done(answer: Promise<Answer>, status: number): Promise<Answer> {
  const { status: got, body } = await answer
  if (got !== status) throw new Error(`${got}, not ${status}: ${JSON.stringify(body)}`)
  return { status: got, body }
}

let people = 0
/** Registers a user, verifies the address and signs in. */
async function signUp() {
  const email = `person-${++people}@example.com`
  const password = canaries.make()
  await done(send('POST /auth/register', { body: { email, name: 'Person', password } }), 201)
  await done(send('POST /auth/verify-email', { body: { token: await mailed(email, 1) } }), 204)
  const tokens = watchTokens(await done(send('POST /auth/login', { body: { email, password } }), 200))
  return { email, password, ...tokens }
}

t.test('an account is made, entered, recovered and left', async t => {
  const { email, password, accessToken, refreshToken } = await signUp()
  const next = watchTokens(await done(send('POST /auth/refresh', { body: { refreshToken } }), 200))
  await done(send('POST /auth/refresh', { body: { refreshToken } }), 200)
  const newPassword = canaries.make()
  const change = (currentPassword: string) =>
    send('POST /auth/password/change', { token: next.accessToken, body: { currentPassword, newPassword } })
  t.ok((await change(canaries.make())).status >= 400)
  await done(change(password), 204)
  await done(send('POST /auth/login', { body: { email, password } }), 401)
  await done(send('POST /auth/password/forgot', { body: { email } }), 202)
  const reset = { password: canaries.make(), token: '' }
  for (let nth = 2; reset.token === ''; nth++) {
    const { text } = await awaitMail(mailbox, email, nth)
    if (text.includes('token=')) reset.token = await mailed(email, nth)
  }
  await done(send('POST /auth/password/reset', { body: reset }), 204)
  await done(send('POST /auth/password/reset', { body: reset }), 400)
  t.equal((await send('GET /users/me', { token: accessToken })).status, 401)
})

t.test('an address is changed, and a password under an idempotency key', async t => {
  const { email, password, accessToken: token } = await signUp()
  const next = `next-${email}`
  const change = (given: string) => send('POST /auth/email/change', { token, body: { email: next, password: given } })
  await done(change(canaries.make()), 403)
  await done(change(password), 202)
  for (const address of [email, next]) {
    const body = { token: canaries.watch(await awaitLink(mailbox, address, 'confirm-email')) }
    await done(send('POST /auth/email/confirm', { body }), 200)
    await done(send('POST /auth/email/confirm', { body }), 400)
  }
  const body = { currentPassword: password, newPassword: canaries.make() }
  const headers = { 'idempotency-key': canaries.make() }
  const under = (sent: object) => send('POST /auth/password/change', { token, body: sent, headers })
  await done(under(body), 204)
  await done(under(body), 204)
  t.equal((await under({ ...body, currentPassword: canaries.make() })).status, 422)
})

t.test('a key is made, used, rotated and revoked, with and without an idempotency key', async t => {
  const { accessToken: token } = await signUp()
  const { id } = (await done(send('POST /organizations', { token, body: { name: 'Organization' } }), 201)).body
  for (const headers of [{}, { 'idempotency-key': canaries.make() }]) {
    const body = { name: 'Key', scopes: ['organization:read'] }
    const made = await done(send(`POST /organizations/${id}/api-keys`, { token, body, headers }), 201)
    const path = `/organizations/${id}/api-keys/${made.body.id}`
    const again = { 'idempotency-key': canaries.make() }
    const rotated = await done(send(`POST ${path}/rotate`, { token, headers: again }), 200)
    t.equal((await send(`POST ${path}/rotate`, { token, headers: again })).status, 409)
    for (const key of [made.body.key, rotated.body.key].map(secret => canaries.watch(secret))) {
      await done(send(`GET /organizations/${id}`, { token: key }), 200)
      await done(send(`GET /organizations/${id}`, { headers: { 'x-api-key': key } }), 200)
    }
    await done(send(`DELETE ${path}`, { token }), 204)
    await done(send(`GET /organizations/${id}`, { token: rotated.body.key }), 401)
  }
})

t.test('a webhook is made, tested and rotated, with and without an idempotency key', async t => {
  const { accessToken: token } = await signUp()
  const { id } = (await done(send('POST /organizations', { token, body: { name: 'Organization' } }), 201)).body
  for (const headers of [{}, { 'idempotency-key': canaries.make() }]) {
    const body = { url: 'http://127.0.0.1:1/', eventTypes: ['*'] }
    const made = await done(send(`POST /organizations/${id}/webhooks`, { token, body, headers }), 201)
    const path = `/webhooks/${made.body.id}`
    const rotated = await done(send(`POST ${path}/rotate-secret`, { token }), 200)
    for (const { secret } of [made.body, rotated.body]) canaries.watch(secret.slice('whsec_'.length))
    const tested = await done(send(`POST ${path}/test`, { token }), 202)
    await eventually(async () => {
      const { body } = await send(`GET /deliveries/${tested.body.id}`, { token })
      return body.attemptCount > 0
    }, 'an attempt')
    t.equal((await send(`PATCH ${path}`, { token, body: { url: 'https://127.0.0.2/' } })).status, 422)
    await done(send(`DELETE ${path}`, { token }), 204)
  }
})

const SECRET_FIELD = /password|token|secret|code|signature|key/i

/** Returns valid and invalid bodies for an operation, with a canary in every property that holds a secret. */
function bodiesOf(properties: Record<string, { type?: string }>): string[] {
  const names = Object.keys(properties)
  const secretive = names.filter(name => SECRET_FIELD.test(name))
  const text = (name: string) => (name === 'email' ? `person-${++people}@example.com` : 'text')
  const filled = () =>
    Object.fromEntries(names.map(name => [name, secretive.includes(name) ? canaries.make() : text(name)]))
  const wrong = (value: unknown) =>
    JSON.stringify({ ...filled(), ...Object.fromEntries(secretive.map(name => [name, value])) })
  return [
    JSON.stringify(filled()),
    JSON.stringify(filled()).slice(0, -2),
    `${JSON.stringify(filled())}}`,
    JSON.stringify([canaries.make()]),
    JSON.stringify(canaries.make()),
    canaries.make(),
    JSON.stringify({ ...filled(), more: canaries.make() }),
    wrong({ of: canaries.make() }),
    wrong([canaries.make()]),
    wrong(canaries.make().padEnd(1_000, 'x')),
    wrong(`${canaries.make()}\u0000`),
  ]
}

t.test('every operation is sent secrets where they belong and where they do not', async t => {
  let { accessToken: token } = await signUp()
  const document = (await canaries.send('GET /openapi.json')).body
  const resolve = (schema: { $ref?: string } | undefined) =>
    schema?.$ref ? document.components.schemas[schema.$ref.split('/').at(-1) as string] : schema
  let sent = 0
  for (const [path, operations] of Object.entries<Record<string, Record<string, never>>>(document.paths)) {
    for (const [method, operation] of Object.entries(operations)) {
      const content = (operation.requestBody as { content?: Record<string, { schema: object }> } | undefined)?.content
      const request = `${method.toUpperCase()} ${path.replace(/\{\w+\}/g, '01990000-0000-7000-8000-000000000999')}`
      const bodies = bodiesOf(resolve(content?.['application/json']?.schema)?.properties ?? {})
      for (const body of content ? bodies : [undefined]) {
        const { status } = await canaries.send(request, { token, body })
        if (status >= 500) t.fail(`${request}: ${status}`)
        sent++
      }
      for (const headers of strangeHeaders()) await canaries.send(`${request}?token=${canaries.make()}`, { headers })
      const type = { 'content-type': 'text/plain' }
      if (content) await canaries.send(request, { token, body: canaries.make(), headers: type })
      // Some operations end the session or delete the account.
      if ((await send('GET /users/me', { token })).status === 401) token = (await signUp()).accessToken
    }
  }
  t.ok(sent > 300, `${sent} bodies`)
})

const strangeHeaders = (): Record<string, string>[] => [
  { authorization: canaries.make() },
  { authorization: `Bearer ${canaries.make()}` },
  { authorization: `Basic ${Buffer.from(`user:${canaries.make()}`).toString('base64')}` },
  { authorization: `Bearer ${canaries.watch(newApiKey('live'))}` },
  { 'x-api-key': canaries.make(), cookie: `session=${canaries.make()}`, 'proxy-authorization': canaries.make() },
  { authorization: `Bearer ${canaries.make()}`, 'idempotency-key': `${canaries.make()} and a space` },
]

t.test('a fault of the server tells nothing either', async t => {
  const { email, password, accessToken: token, refreshToken } = await signUp()
  await client.query('alter schema public rename to away')
  const requests: [string, Parameters<typeof send>[1]][] = [
    ['POST /auth/login', { body: { email, password } }],
    ['POST /auth/refresh', { body: { refreshToken } }],
    ['POST /auth/register', { body: { email: 'nobody@example.com', name: 'Nobody', password: canaries.make() } }],
    ['POST /auth/password/reset', { body: { token: canaries.make(), password: canaries.make() } }],
    ['POST /auth/password/change', { token, body: { currentPassword: password, newPassword: canaries.make() } }],
    ['GET /events', { token: canaries.watch(newApiKey('live')) }],
    ['POST /organizations', { token, body: { name: 'x' }, headers: { 'idempotency-key': canaries.make() } }],
  ]
  for (const [request, sending] of requests) t.equal((await send(request, sending)).status, 500, request)
  await client.query('alter schema away rename to public')
})

t.test('and nothing of it is anywhere: no refusal, no line of the log, no row', async t => {
  t.ok(canaries.count > 500, `${canaries.count} secrets were let loose`)
  t.same(canaries.refusalsThatTell(), [])
  t.same(await canaries.tablesThatTell(client), [])
  t.equal(await lintel.end('SIGTERM'), 0)
  const lines = lintel.log().split('\n')
  t.ok(
    lines.some(line => line.includes('"operation":"login"')),
    'the log was on',
  )
  t.same(
    lines.filter(line => canaries.isTold(line)),
    [],
  )
})
