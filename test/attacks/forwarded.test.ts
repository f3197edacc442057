import t from 'tap'
import { createUser } from '../helpers/actors.ts'
import { testApp } from '../helpers/app.ts'
import { call } from '../helpers/call.ts'

const PROXY = '10.1.2.3'
const OTHER_PROXY = '10.9.9.9'
const CLIENT = '198.51.100.7'
const V6 = '2001:db8::1'
const FAKE = '6.6.6.6'
const METRIC = /^forwarded_addresses_unreadable_total (\d+)$/m

const test = await testApp(t, { trustProxy: ['10.0.0.0/8', 'fd00::/8'] })
const as = await createUser(test)

/** Returns the address that the log stores for a write with this header. */
async function logged(forwardedFor: string, from = PROXY, headers: Record<string, string> = {}): Promise<string> {
  const { body } = await call(test.app, 'POST /organizations', {
    as,
    body: { name: 'Organization' },
    from,
    headers: { 'x-forwarded-for': forwardedFor, ...headers },
  })
  return (await test.sql('select address from events where target_id = $1', [body.id]))[0].address
}
const unreadable = async () => Number(METRIC.exec((await call(test.app, 'GET /metrics')).text)?.[1])

/** The forms of RFC 7239 §6, and other forms that proxies send. */
const FORMS: [string, string][] = [
  [CLIENT, CLIENT],
  [`${CLIENT}:40107`, CLIENT],
  [`${CLIENT}:_secret`, CLIENT],
  [`"${CLIENT}:40107"`, CLIENT],
  [V6, V6],
  [`[${V6}]`, V6],
  [`[${V6}]:443`, V6],
  [`"[${V6}]"`, V6],
  [`"[${V6}]:443"`, V6],
  [`"[${V6}]:_port-1"`, V6],
  ['2001:db8::1:443', '2001:db8::1:443'],
  ['fe80::1%eth0', 'fe80::1'],
  ['[fe80::1%25en1]:8080', 'fe80::1'],
  [`::ffff:${CLIENT}`, CLIENT],
  [`[::ffff:${CLIENT}]:9`, CLIENT],
  [`\t${CLIENT} , `, CLIENT],
  [`, ,${CLIENT},,`, CLIENT],
]

t.test('the client is told from its proxy in every form that an address has', async t => {
  const before = await unreadable()
  for (const [node, address] of FORMS) {
    t.equal(await logged(node), address, node)
    t.equal(await logged(`${FAKE}, ${node}, ${OTHER_PROXY}:1, "[fd00::7]:2"`), address, `${node} behind more proxies`)
  }
  t.equal(await unreadable(), before, 'nothing was unreadable')
})

t.test('what cannot be read counts as the peer’s own address, is counted, and said once', async t => {
  const warnings: unknown[] = []
  test.app.log.warn = (fields: unknown) => void warnings.push(fields)
  const before = await unreadable()
  const nodes = [
    'unknown',
    '_hidden',
    '_hidden:8080',
    '[198.51.100.7]',
    '198.51.100.7:',
    '198.51.100.7:123456',
    '198.51.100.999',
    '198.51.100.7:80:80',
    '[2001:db8::1',
    '[2001:db8::1]443',
    '"198.51.100.7',
    'for=198.51.100.7',
    'example.com',
    '0x7f000001',
    '010.0.0.01',
    '%eth0',
    '[]',
    '""',
    '1'.repeat(5_000),
  ]
  for (const node of nodes) t.equal(await logged(`${FAKE}, ${node}`), PROXY, node.slice(0, 40))
  t.equal((await unreadable()) - before, nodes.length)
  t.same(warnings, [{ peer: PROXY }])
})

t.test('nobody chooses an address: only what a trusted proxy has appended counts', async t => {
  const before = await unreadable()
  for (const claimed of [FAKE, OTHER_PROXY, 'unknown', `"[${V6}]"`, `${FAKE}, ${OTHER_PROXY}`, 'x'.repeat(3_000)]) {
    t.equal(await logged(`${claimed}, ${CLIENT}:40107`), CLIENT, claimed.slice(0, 40))
    t.equal(await logged(claimed, CLIENT), CLIENT, `${claimed.slice(0, 40)} without a proxy`)
    const forwarded = { forwarded: `for=${FAKE}, for="[${V6}]:1"` }
    t.equal(await logged(`${claimed}, ${CLIENT}`, PROXY, forwarded), CLIENT, 'whatever Forwarded says')
  }
  t.equal(await unreadable(), before, 'hearsay is not even read')
})

t.test('clients behind a proxy that writes ports have a limit each', async t => {
  const limited = await testApp(t, { trustProxy: ['10.0.0.0/8'], rateLimit: 2 })
  const ask = async (node: string) =>
    (await call(limited.app, 'GET /nothing', { from: PROXY, headers: { 'x-forwarded-for': node } })).status
  t.same([await ask(`${CLIENT}:1`), await ask(`${CLIENT}:2`), await ask(`${CLIENT}:3`)], [404, 404, 429])
  t.equal(await ask('198.51.100.8:1'), 404, 'another client')
  t.same([await ask(`[${V6}]:1`), await ask('[2001:db8::2]:2'), await ask('2001:db8::3')], [404, 404, 429], 'one /64')
  t.equal(await ask('[2001:db8:0:1::1]:1'), 404, 'another prefix')
})
