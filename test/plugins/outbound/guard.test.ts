import { execFile } from 'node:child_process'
import { lookup } from 'node:dns/promises'
import { isIP } from 'node:net'
import { promisify } from 'node:util'
import t from 'tap'
import { AllowList } from '../../../src/lib/allow-list.ts'
import { isPublicAddress } from '../../../src/lib/public-address.ts'
import { type Dialer, guardedConnector } from '../../../src/plugins/outbound/connector.ts'
import { OutboundError } from '../../../src/plugins/outbound/errors.ts'
import type { Resolve } from '../../../src/plugins/outbound/resolve.ts'
import { listener, outboundClient, post } from '../../helpers/outbound.ts'
import { hosts, literals, numbers, urls } from './spellings.ts'

const REFUSED = { kind: 'refused', status: 422, code: 'destination_refused' }
const nothing = new AllowList([])

/** Returns a resolver that gives these answers in order and then repeats the last. */
function answers(...all: string[][]): { resolve: Resolve; asked: string[] } {
  const asked: string[] = []
  const resolve: Resolve = async hostname => {
    const answer = all[Math.min(asked.length, all.length - 1)] ?? []
    asked.push(hostname)
    return answer.map(address => ({ address, family: isIP(address) }))
  }
  return { resolve, asked }
}

/** Returns the error of a connector for a connection to `hostname`. */
const connecting = (connect: ReturnType<Dialer>, hostname: string) =>
  new Promise<unknown>(resolve => connect({ hostname, protocol: 'https:', port: '' }, (...[error]) => resolve(error)))

/** Returns a dialer that opens no connections and records the addresses. */
function noDialer(): { open: Dialer; dialled: string[] } {
  const dialled: string[] = []
  const open: Dialer = ask => (options, callback) => {
    const wouldDial = (addresses: string[]) => {
      dialled.push(...addresses)
      callback(new OutboundError('connect', 'not dialled'), null)
    }
    if (isIP(options.hostname) !== 0) return wouldDial([options.hostname])
    ask(options.hostname, { all: true }, (error, found) => {
      if (error) callback(error, null)
      else wouldDial((found as { address: string }[]).map(({ address }) => address))
    })
  }
  return { open, dialled }
}

t.test('no spelling of a host that is not public passes, and every one is a sentence for a tenant', async t => {
  const client = outboundClient(t)
  const all = [...hosts.map(host => `https://${host}/`), ...urls]
  t.ok(all.length >= 120, `${all.length} spellings`)
  for (const url of all) {
    t.throws(() => client.check(url), REFUSED, JSON.stringify(url))
    await t.rejects(client.request(post(url)), REFUSED, 'nor when it is sent')
  }
})

t.test('public hosts pass, in normal form', async t => {
  const client = outboundClient(t, { ports: [443, 8443] })
  const expected = {
    'https://example.com': 'https://example.com/',
    'https://EXAMPLE.com:443/a?b=c': 'https://example.com/a?b=c',
    'https://bücher.example/': 'https://xn--bcher-kva.example/',
    'https://hooks.example.com:8443/x': 'https://hooks.example.com:8443/x',
    'https://8.8.8.8/': 'https://8.8.8.8/',
    'https://134744072/': 'https://8.8.8.8/',
    'https://[2606:4700::1111]/': 'https://[2606:4700::1111]/',
  }
  for (const [url, normal] of Object.entries(expected)) t.equal(client.check(url), normal)
})

t.test('an address in place of a name never reaches a dialer', async t => {
  const { open, dialled } = noDialer()
  const connect = guardedConnector(nothing, answers([]).resolve, open)
  const ask = (hostname: string) => connecting(connect, hostname)
  for (const host of literals) {
    const { hostname } = new URL(`https://${host}/`)
    t.match(await ask(hostname.replace(/^\[|\]$/g, '')), REFUSED, host)
  }
  t.match(await ask('fe80::1%lo'), REFUSED, 'with a zone')
  t.same(dialled, [])
  t.match(await ask('8.8.8.8'), { kind: 'connect' }, 'a public one does')
})

t.test('a number that the resolver takes for an address is judged as one', async t => {
  const { open, dialled } = noDialer()
  const connect = guardedConnector(nothing, hostname => lookup(hostname, { all: true }), open)
  for (const hostname of numbers) {
    t.match(await connecting(connect, hostname), REFUSED, hostname)
  }
  t.same(dialled, [])
})

t.test('a name that leads to an address that is not public opens no socket, mixed ones included', async t => {
  const four = await listener(t)
  const six = await listener(t, () => {}, '::1')
  const secrets = [
    ['127.0.0.1'],
    ['::1'],
    ['::ffff:127.0.0.1'],
    ['::127.0.0.1'],
    ['8.8.8.8', '127.0.0.1'],
    ['127.0.0.1', '8.8.8.8'],
    ['2606:4700::1111', '::1'],
    ['8.8.8.8', '169.254.169.254'],
    ['not an address'],
    [],
  ]
  for (const answer of secrets)
    for (const { port } of [four, six]) {
      const client = outboundClient(t, { ports: [port], http: true, resolve: answers(answer).resolve })
      for (const scheme of ['http', 'https'])
        await t.rejects(client.request(post(`${scheme}://hooks.example.com:${port}/`)), REFUSED, answer.join())
    }
  t.equal(four.connections() + six.connections(), 0)
})

t.test('a name is asked once for each socket, and what was judged is what is dialled', async t => {
  const inside = await listener(t)
  const { resolve, asked } = answers(['8.8.8.8'], ['127.0.0.1'])
  const { open, dialled } = noDialer()
  const client = outboundClient(t, { ports: [inside.port], resolve, open })
  const url = `https://hooks.example.com:${inside.port}/`
  await t.rejects(client.request(post(url)), { code: 'upstream_failed', message: 'not dialled' })
  t.same([asked.length, dialled], [1, ['8.8.8.8']])
  await t.rejects(client.request(post(url)), REFUSED)
  t.same([asked.length, dialled], [2, ['8.8.8.8']])
  t.equal(inside.connections(), 0)
})

t.test('the answer of a real socket is used once: a second answer of the resolver is not asked for', async t => {
  const right = await listener(t, socket => socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n'))
  const { resolve, asked } = answers(['127.0.0.1'], ['::1'])
  const client = outboundClient(t, { allow: ['127.0.0.1'], ports: [right.port], http: true, resolve })
  t.match(await client.request(post(`http://hooks.example.com:${right.port}/`)), { status: 204 })
  t.same([asked.length, right.connections()], [1, 1])
  await t.rejects(client.request(post(`http://hooks.example.com:${right.port}/`)), REFUSED, '::1 is not on the list')
})

t.test('what is wrong with a name inside does not show in what a tenant is told', async t => {
  const missing = outboundClient(t, {
    resolve: async () => {
      throw new OutboundError('dns', 'the host name leads to no public address')
    },
  })
  const inside = outboundClient(t, { resolve: answers(['10.1.2.3']).resolve })
  const tell = (client: typeof missing) => client.request(post('https://db.example.com/')).catch(error => error)
  const [one, other] = [await tell(missing), await tell(inside)]
  t.equal(one.reason, other.reason)
  t.notMatch(other.reason + other.message, /10\.|127/)
})

t.test('proxy variables are not read', async t => {
  const proxy = await listener(t, socket => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'))
  const receiver = await listener(t, socket => socket.end('HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n'))
  const script = `
    const { AllowList } = await import('./src/lib/allow-list.ts')
    const { guardedAgent } = await import('./src/plugins/outbound/agent.ts')
    const { OutboundClient } = await import('./src/plugins/outbound/client.ts')
    const allow = new AllowList(['127.0.0.1'])
    const client = new OutboundClient({ allow, ports: [], http: false }, async () => guardedAgent(allow, () => []))
    const request = { target: 'x', url: '${receiver.url}', method: 'POST', timeoutMs: 30000, maxBytes: 0 }
    console.log((await client.request(request)).status)
    await client.close()`
  const names = ['HTTP_PROXY', 'HTTPS_PROXY', 'ALL_PROXY', 'http_proxy', 'https_proxy', 'all_proxy']
  const env = { ...process.env, ...Object.fromEntries(names.map(name => [name, proxy.url])), NODE_USE_ENV_PROXY: '1' }
  const run = promisify(execFile)
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { env, cwd: process.cwd() })
  t.equal(stdout.trim(), '204')
  t.same([receiver.connections(), proxy.connections()], [1, 0])
})

t.test('addresses at the edges of what is internal', async t => {
  const outside = ['9.255.255.255', '11.0.0.0', '100.63.255.255', '100.128.0.0', '172.15.255.255', '172.32.0.0']
  outside.push('168.63.129.15', '168.63.129.17', '198.17.255.255', '198.20.0.0', '223.255.255.255', '1.0.0.0')
  outside.push('2001:200::1', '2001:db7:ffff::1', '2001:db9::1', '2003::1', '3ffe:ffff::1', '3fff:1000::1', '2000::1')
  for (const address of outside) t.ok(isPublicAddress(address), address)
  for (const address of ['1fff:ffff::1', '4000::', '', 'localhost', '2606:4700::1111%lo', '8.8.8.8.', '08.8.8.8'])
    t.notOk(isPublicAddress(address), address)
})
