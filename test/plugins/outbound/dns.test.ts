import { lookup } from 'node:dns/promises'
import t from 'tap'
import { resolver } from '../../../src/plugins/outbound/resolve.ts'
import { nameServer } from '../../helpers/name-server.ts'
import { listener, onRequest, outboundClient, post } from '../../helpers/outbound.ts'

const OK = 'HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n'
const NOWHERE = 'the host name leads to no public address'

t.test('a name is all its addresses of both families', async t => {
  const server = await nameServer(t, () => ['192.0.2.1', '2001:db8::1', '192.0.2.2'])
  t.same(await resolver([server.address])('hooks.example.com', false), [
    { address: '192.0.2.1', family: 4 },
    { address: '192.0.2.2', family: 4 },
    { address: '2001:db8::1', family: 6 },
  ])
  t.same(server.asked.toSorted(), ['hooks.example.com 4', 'hooks.example.com 6'], 'with no search domain')
})

t.test('the sockets of a name that changes stay with what was judged', async t => {
  const receiver = await listener(
    t,
    onRequest(socket => socket.end(OK)),
  )
  const trap = await listener(t, () => {}, '::1')
  const server = await nameServer(t, (_, ask) => (ask === 1 ? ['127.0.0.1'] : ['::1']))
  const client = outboundClient(t, {
    allow: ['127.0.0.1'],
    ports: [receiver.port, trap.port],
    http: true,
    resolve: resolver([server.address]),
  })
  t.match(await client.request(post(`http://hooks.example.com:${receiver.port}/`)), { status: 204 })
  const refusal = { code: 'destination_refused', message: NOWHERE }
  await t.rejects(client.request(post(`http://hooks.example.com:${receiver.port}/`)), refusal)
  await t.rejects(client.request(post(`http://hooks.example.com:${trap.port}/`)), refusal)
  t.same([receiver.connections(), trap.connections()], [1, 0])
})

t.test('a mixed answer over the wire opens no socket', async t => {
  const inside = await listener(t)
  const answers: Record<string, string[]> = {
    'four.example.com': ['8.8.8.8', '127.0.0.1'],
    'six.example.com': ['8.8.8.8', '0:0::1'],
    'mapped.example.com': ['0:0:0:0:0:ffff:7f00:1'],
    'none.example.com': [],
  }
  const server = await nameServer(t, name => answers[name] ?? 'missing')
  const client = outboundClient(t, { ports: [inside.port], http: true, resolve: resolver([server.address]) })
  for (const name of [...Object.keys(answers), 'missing.example.com'])
    await t.rejects(client.request(post(`http://${name}:${inside.port}/`)), { message: NOWHERE }, name)
  t.equal(inside.connections(), 0)
})

t.test('silent name servers hold nobody up: no thread of the process waits for them', async t => {
  const silent = await nameServer(t, () => 'silent')
  const client = outboundClient(t, { resolve: resolver([silent.address]) })
  const ask = (_: unknown, i: number) => client.request(post(`https://host-${i}.example.com/`, { timeoutMs: 30_000 }))
  const waiting = Promise.allSettled(Array.from({ length: 50 }, ask))
  let settled = false
  void waiting.then(() => {
    settled = true
  })
  // `getaddrinfo` runs in the thread pool, which file access and password hashing use too.
  for (let i = 0; i < 20; i += 1) await lookup('127.0.0.1')
  await lookup('localhost')
  t.notOk(settled, 'while the questions are open')
  const kinds = (await waiting).map(outcome => (outcome as PromiseRejectedResult).reason.kind)
  t.same(
    [...new Set(kinds)].filter(kind => kind !== 'dns' && kind !== 'connect'),
    [],
  )
})
