import t from 'tap'
import { createOrganization, createUser, PASSWORD } from '../helpers/actors.ts'
import { type TestApp, testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'
import { awaitMail } from '../helpers/mail.ts'

const PROXY = '10.1.2.3'
const CLIENT = '203.0.113.7'
const FAKE = '6.6.6.6'
const direct = await testApp(t, { works: true })
const behind = await testApp(t, { works: true, trustProxy: ['10.0.0.0/8'] })

/** Every header in which a proxy may send the address of the client. */
const FORWARDED = {
  forwarded: `for=${FAKE};host=evil.example;proto=https`,
  'x-real-ip': FAKE,
  'x-client-ip': FAKE,
  'x-cluster-client-ip': FAKE,
  'x-originating-ip': FAKE,
  'x-forwarded': FAKE,
  'true-client-ip': FAKE,
  'cf-connecting-ip': FAKE,
  'fastly-client-ip': FAKE,
  via: `1.1 ${FAKE}`,
}
const HOSTS = {
  host: 'evil.example',
  'x-forwarded-host': 'evil.example',
  'x-forwarded-server': 'evil.example',
  'x-forwarded-proto': 'https',
  'x-forwarded-port': '1',
  'x-forwarded-prefix': '/evil',
  'x-original-url': '/evil',
  'x-rewrite-url': '/evil',
  origin: 'https://evil.example',
  referer: 'https://evil.example/',
}

/** Returns the address that the log stores for a write with these headers. */
async function logged(test: TestApp, from: string, headers: Record<string, string>): Promise<string> {
  const as = await createUser(test)
  const { body } = await call(test.app, 'POST /organizations', { as, body: { name: 'Organization' }, from, headers })
  return (await test.sql('select address from events where target_id = $1', [body.id]))[0].address
}

t.test('without a trusted proxy the address is that of the connection, whatever the headers say', async t => {
  const all = { ...FORWARDED, ...HOSTS, 'x-forwarded-for': FAKE }
  t.equal(await logged(direct, CLIENT, all), CLIENT)
  t.equal(await logged(direct, PROXY, all), PROXY)
})

t.test('with one it is what that proxy saw: the last address that is no proxy', async t => {
  const ask = (forwardedFor: string, from = PROXY) =>
    logged(behind, from, { ...FORWARDED, ...HOSTS, 'x-forwarded-for': forwardedFor })
  t.equal(await ask(CLIENT), CLIENT)
  t.equal(await ask(`${FAKE}, ${CLIENT}`), CLIENT, 'what the client wrote before it')
  t.equal(await ask(`${FAKE}, ${CLIENT}, 10.9.9.9`), CLIENT, 'through two proxies')
  t.equal(await ask(FAKE, CLIENT), CLIENT, 'not from a proxy')
  t.equal(await logged(behind, PROXY, FORWARDED), PROXY, 'no other header')
})

t.test('what the proxy passes on as an address and is none is never kept as one', async t => {
  for (const nonsense of ['x', "'; drop table events", '<script>', `${'1'.repeat(5_000)}`, ', ,']) {
    const address = await logged(behind, PROXY, { 'x-forwarded-for': nonsense })
    t.match(address, /^[\da-f.:]{2,45}$/i, nonsense.slice(0, 40))
  }
})

t.test('the sessions of a user name the same address as the log', async t => {
  const user = await createUser(direct)
  const headers = { ...FORWARDED, 'x-forwarded-for': FAKE }
  const body = { email: user.email, password: PASSWORD }
  t.equal((await call(direct.app, 'POST /auth/login', { body, from: CLIENT, headers })).status, 200)
  const rows = await direct.sql('select address from sessions where user_id = $1 and address is not null', [user.id])
  t.same(rows, [{ address: CLIENT }])
})

/** Calls every operation that sends a mail with a link; returns the addresses of the mails. */
async function sendMails(test: TestApp, from: string): Promise<string[]> {
  const { app } = test
  const headers = { ...HOSTS, ...FORWARDED, 'x-forwarded-for': CLIENT }
  const organization = await createOrganization(test)
  const known = await createUser(test)
  const changing = await createUser(test)
  const at = (name: string) => `${name}-${known.id}@example.com`
  const sent: [string, object, { headers: Record<string, string> } | null, string][] = [
    ['POST /auth/register', { email: at('new'), name: 'New', password: 'a long and quiet one' }, null, at('new')],
    ['POST /auth/password/forgot', { email: known.email }, null, known.email],
    ['POST /auth/email/change', { email: at('moved'), password: PASSWORD }, changing, at('moved')],
    [
      `POST /organizations/${organization.id}/invitations`,
      { email: at('guest'), role: 'member' },
      organization.owner,
      at('guest'),
    ],
  ]
  const recipients: string[] = []
  for (const [request, body, as, to] of sent) {
    const { status, text } = await call(app, request, { as, body, from, headers })
    if (status === 404) continue
    if (status >= 300) throw new Error(`${request}: ${text}`)
    recipients.push(to)
  }
  return recipients
}

for (const [name, test, from] of [
  ['without', direct, CLIENT],
  ['with', behind, PROXY],
] as const) {
  t.test(`${name} a trusted proxy no header changes where the links of a mail lead`, async t => {
    for (const to of await sendMails(test, from)) {
      const { text } = await awaitMail(test, to)
      const links = text.match(/https?:\/\/\S+/g) ?? []
      t.ok(links.length > 0, `${to} gets a link`)
      for (const link of links) t.ok(link.startsWith(`${test.config.appUrl}/`), link)
      t.notMatch(text, /evil|6\.6\.6\.6/)
    }
  })

  t.test(`${name} a trusted proxy no header changes what an answer refers to`, async t => {
    const as = await createUser(test)
    const created = await call(test.app, 'POST /organizations', { as, body: { name: 'One' }, from, headers: HOSTS })
    t.match(created.headers.location, /^\/api\/v1\/organizations\/[\da-f-]+$/)
    await call(test.app, 'POST /organizations', { as, body: { name: 'Two' }, from })
    const list = await call(test.app, 'GET /organizations?limit=1', { as, from, headers: HOSTS })
    t.match(list.headers.link, /^<\/api\/v1\/organizations\?/)
    const missing = await call(test.app, 'GET /nothing', { from, headers: HOSTS })
    t.equal(missing.body.type, `${test.config.publicUrl}/docs/errors#not_found`)
    for (const { text, headers } of [created, list, missing]) t.notMatch(text + JSON.stringify(headers), /evil/)
  })
}
