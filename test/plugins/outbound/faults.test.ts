// Runs in a process of its own: it measures the memory of the process.
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { listener, onRequest, outboundClient, post } from '../../helpers/outbound.ts'

const LOCAL = ['127.0.0.1']
const CONNECT = { kind: 'connect', code: 'upstream_failed', message: 'the connection was refused' }
const HEAD = 'HTTP/1.1 200 OK\r\n'
/** Long enough for every server to write its part of a response, also on a busy machine. */
const BOUND_MS = 1_500
/** The additional time on a busy machine. A request without a time limit would take far longer. */
const LATE_MS = 10_000

setFlagsFromString('--expose-gc')
const collectGarbage: () => void = runInNewContext('gc')

/** Returns the bytes of buffers that are still in use. What only waits for the garbage collector is not counted. */
function heldBuffers(): number {
  collectGarbage()
  return process.memoryUsage().arrayBuffers
}

/** Writes without end, as fast as the other side reads. */
function flood(socket: Socket, part: string): void {
  const more = () => {
    while (!socket.destroyed && socket.write(part));
  }
  socket.on('drain', more)
  more()
}

const drip = (socket: Socket, start: string, part: string): void => {
  socket.write(start)
  const timer = setInterval(() => socket.write(part), 100)
  socket.on('close', () => clearInterval(timer))
}

const endings: [name: string, kind: string, serve: (socket: Socket) => void][] = [
  ['never answers', 'timeout', () => {}],
  ['drips its headers', 'timeout', socket => drip(socket, HEAD, 'x')],
  ['drips informational answers', 'timeout', socket => drip(socket, '', 'HTTP/1.1 103 Early Hints\r\n\r\n')],
  ['drips its body', 'timeout', socket => drip(socket, `${HEAD}content-length: 1000000\r\n\r\n`, 'x')],
  ['stops in its body', 'timeout', socket => socket.write(`${HEAD}content-length: 10\r\n\r\nx`)],
  ['never ends a chunk', 'timeout', socket => socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\nfffffff\r\nx`)],
  [
    'never ends its headers',
    'protocol',
    socket => flood(socket.write(HEAD) ? socket : socket, `x: ${'y'.repeat(1000)}\r\n`),
  ],
  [
    'has one header without an end',
    'protocol',
    socket => {
      socket.write(`${HEAD}x: `)
      flood(socket, 'y'.repeat(1000))
    },
  ],
  ['speaks no HTTP', 'protocol', socket => socket.write('220 smtp.example.com ESMTP\r\n')],
  ['answers with noise', 'protocol', socket => socket.write(Buffer.from([0, 1, 2, 255, 254, 13, 10, 13, 10]))],
  ['has two lengths', 'protocol', socket => socket.write(`${HEAD}content-length: 1\r\ncontent-length: 2\r\n\r\nxx`)],
  [
    'has a length and chunks',
    'protocol',
    socket => socket.write(`${HEAD}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`),
  ],
  ['has chunks that are none', 'protocol', socket => socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\nxyz\r\n`)],
  ['resets', 'reset', socket => socket.resetAndDestroy()],
  [
    'resets in its body',
    'reset',
    socket => socket.write(`${HEAD}content-length: 10\r\n\r\nx`, () => socket.resetAndDestroy()),
  ],
  ['hangs up', 'reset', socket => socket.end()],
  ['hangs up in its headers', 'reset', socket => socket.end(`${HEAD}content-`)],
  ['hangs up in its body', 'reset', socket => socket.end(`${HEAD}content-length: 10\r\n\r\nx`)],
  ['hangs up in a chunk', 'reset', socket => socket.end(`${HEAD}transfer-encoding: chunked\r\n\r\n5\r\nx`)],
  [
    'changes the protocol',
    'reset',
    socket => socket.write('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
  ],
]

t.test('every way not to answer has its kind and its end', async t => {
  const client = outboundClient(t, { allow: LOCAL })
  const one = async ([name, kind, serve]: (typeof endings)[number]) => {
    let closed = false
    const server = await listener(t, socket => {
      socket.on('close', () => {
        closed = true
      })
      onRequest(() => serve(socket))(socket)
    })
    const started = performance.now()
    const error = await client.request(post(server.url, { timeoutMs: BOUND_MS })).catch(thrown => thrown)
    const tookMs = performance.now() - started
    t.equal(error.kind, kind, `${name}: ${error.reason}`)
    t.ok(tookMs < BOUND_MS + LATE_MS, `${name}: ended after ${Math.round(tookMs)} ms`)
    t.notMatch(error.reason, /127\.0|localhost|\bat\b .*:\d+/, 'and says nothing of the inside')
    while (!closed) await new Promise(resolve => setTimeout(resolve, 20))
    t.equal(server.connections(), 1, `${name}: one connection, closed by us`)
  }
  await Promise.all(endings.map(one))
})

t.test('no more than maxBytes is read of an answer without an end, and it is said', async t => {
  const client = outboundClient(t, { allow: LOCAL })
  const starts = ['content-length: 999999999999', 'transfer-encoding: chunked', 'connection: close']
  for (const start of starts) {
    let sent = 0
    let closed = false
    const server = await listener(
      t,
      onRequest(socket => {
        socket.on('close', () => {
          sent = socket.bytesWritten
          closed = true
        })
        socket.write(`${HEAD}${start}\r\n\r\n`)
        flood(socket, start.includes('chunked') ? `400\r\n${'x'.repeat(1024)}\r\n` : 'x'.repeat(1024))
      }),
    )
    const answer = await client.request(post(server.url, { maxBytes: 1000, timeoutMs: 60_000 }))
    t.match({ ...answer, body: answer.body.toString() }, { status: 200, truncated: true, body: 'x'.repeat(1000) })
    t.equal(answer.body.length, 1000)
    while (!closed) await new Promise(resolve => setTimeout(resolve, 20))
    t.ok(sent < 32 * 1024 * 1024, `${start}: ${sent} bytes fit into the buffers of the socket`)
  }
})

t.test('an answer of exactly maxBytes is whole, and one that is packed stays packed', async t => {
  const client = outboundClient(t, { allow: LOCAL })
  const server = await listener(
    t,
    onRequest(socket => socket.write(`${HEAD}content-encoding: gzip\r\ncontent-length: 4\r\n\r\nabcd`)),
  )
  for (const [maxBytes, body, truncated] of [
    [5, 'abcd', false],
    [4, 'abcd', false],
    [3, 'abc', true],
    [0, '', true],
  ] as const) {
    const answer = await client.request(post(server.url, { maxBytes }))
    t.same([answer.body.toString(), answer.truncated], [body, truncated])
  }
})

t.test('a hundred answers without an end at once take no memory', async t => {
  const client = outboundClient(t, { allow: LOCAL })
  const server = await listener(
    t,
    onRequest(socket => {
      socket.write(`${HEAD}transfer-encoding: chunked\r\n\r\n`)
      drip(socket, '', `400\r\n${'x'.repeat(1024)}\r\n`)
    }),
  )
  const before = heldBuffers()
  const ask = () => client.request(post(server.url, { timeoutMs: BOUND_MS })).catch(error => error.kind)
  const all = Promise.all(Array.from({ length: 100 }, ask))
  await new Promise(resolve => setTimeout(resolve, BOUND_MS - 200))
  const grown = (heldBuffers() - before) / 1e6
  // Not after the end: the first that times out makes room for one that waits.
  const connections = server.connections()
  const kinds = await all
  t.same([...new Set(kinds)], ['timeout'], 'those that wait for a connection included')
  t.ok(connections <= 32, `${connections} connections at most to one origin`)
  t.ok(grown < 8, `${grown.toFixed(1)} MB`)
})

t.test('where nobody listens there is no connection', async t => {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.on('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => server.close(resolve))
  const client = outboundClient(t, {
    allow: ['127.0.0.1', 'hooks.example.com'],
    resolve: async () => [{ address: '127.0.0.1', family: 4 }],
  })
  await t.rejects(client.request(post(`http://127.0.0.1:${port}/`)), CONNECT)
  await t.rejects(client.request(post(`http://hooks.example.com:${port}/`)), CONNECT)
})

t.test('a name that is not found, and a resolver that does not answer', async t => {
  const missing = outboundClient(t, {
    resolve: async () => {
      throw Object.assign(new Error('x'), { code: 'ENOTFOUND' })
    },
  })
  await t.rejects(missing.request(post('https://hooks.example.com/')), {
    code: 'upstream_failed',
    message: 'the host name leads to no public address',
  })
  const silent = outboundClient(t, { resolve: () => new Promise(() => {}) })
  await t.rejects(silent.request(post('https://hooks.example.com/', { timeoutMs: 300 })), {
    code: 'upstream_timeout',
    message: 'no complete answer within 0.3 s',
  })
})
