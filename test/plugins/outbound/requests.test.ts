import type { Socket } from 'node:net'
import t from 'tap'
import { testApp } from '../../helpers/app.ts'
import { listener, onRequest, outboundClient, post } from '../../helpers/outbound.ts'

const allow = ['127.0.0.1']
const answer = (status: string, headers = '') => `HTTP/1.1 ${status}\r\ncontent-length: 0\r\n${headers}\r\n`

/** Starts a server that sends these answers in order, then repeats the last; null resets the connection. It records requests. */
async function server(t: Parameters<typeof listener>[0], ...answers: (string | null)[]) {
  const requests: string[] = []
  const serve = (socket: Socket, request: string) => {
    const next = answers[Math.min(requests.length, answers.length - 1)]
    requests.push(request)
    if (next === null || next === undefined) socket.resetAndDestroy()
    else socket.write(next)
  }
  return { ...(await listener(t, onRequest(serve))), requests }
}

t.test('a redirect is an answer, and nothing goes where it leads', async t => {
  const elsewhere = await server(t, answer('200 OK'))
  const client = outboundClient(t, { allow })
  for (const status of [
    '301 Moved',
    '302 Found',
    '303 See Other',
    '307 Temporary Redirect',
    '308 Permanent Redirect',
  ]) {
    const first = await server(t, answer(status, `location: ${elsewhere.url}\r\n`))
    const got = await client.request(post(first.url, { retry: { attempts: 3 } }))
    t.match(got, { status: Number(status.slice(0, 3)), headers: { location: elsewhere.url }, truncated: false })
    t.equal(first.requests.length, 1)
  }
  t.equal(elsewhere.connections(), 0)
})

t.test('method, headers and body arrive as given, and nothing of ours beside them but a span of the trace', async t => {
  const receiver = await server(t, answer('204 No Content', 'x-a: 1\r\nx-a: 2\r\n'))
  const client = outboundClient(t, { allow })
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const headers = { 'content-type': 'application/json', 'webhook-id': 'e1' }
  const got = await client.request(post(`${receiver.url}p?q=1`, { headers, body: '{"ł":1}', traceparent }))
  t.match(got, { status: 204, headers: { 'x-a': ['1', '2'] } })
  t.ok(got.durationMs > 0)
  const [head = '', body = ''] = (receiver.requests[0] ?? '').split('\r\n\r\n')
  t.equal(Buffer.from(body, 'latin1').toString(), '{"ł":1}')
  const lines = head.split('\r\n')
  const sent = lines.find(line => line.startsWith('traceparent: '))
  t.match(sent, /^traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-(?!00f067aa0ba902b7)[0-9a-f]{16}-01$/)
  t.same(
    lines.filter(line => line !== sent).toSorted(),
    [
      'POST /p?q=1 HTTP/1.1',
      'connection: keep-alive',
      'content-length: 8',
      'content-type: application/json',
      `host: 127.0.0.1:${receiver.port}`,
      'user-agent: Lintel',
      'webhook-id: e1',
    ].toSorted(),
  )
})

t.test('requests to one origin share connections, and an idle one is closed by us', async t => {
  let open = 0
  const receiver = await listener(t, socket => {
    open += 1
    socket.on('close', () => {
      open -= 1
    })
    onRequest(() => socket.write(answer('200 OK', 'keep-alive: timeout=3600\r\n')))(socket)
  })
  const client = outboundClient(t, { allow })
  for (let i = 0; i < 20; i += 1) await client.request(post(receiver.url))
  t.ok(receiver.connections() < 10, `${receiver.connections()} connections for 20 requests`)
  while (open > 0) await new Promise(resolve => setTimeout(resolve, 50))
  t.pass('within a time of ours, although the server offers an hour')
})

t.test('what may be repeated is, while another attempt can help', async t => {
  const client = outboundClient(t, { allow })
  const retry = { attempts: 4 }
  const passing = await server(
    t,
    null,
    answer('503 Service Unavailable'),
    answer('429 Too Many', 'retry-after: 0\r\n'),
    answer('200 OK'),
  )
  t.match(await client.request(post(passing.url, { retry })), { status: 200 })
  t.equal(passing.requests.length, 4)

  const down = await server(t, answer('502 Bad Gateway'))
  t.match(await client.request(post(down.url, { retry: { attempts: 2 } })), { status: 502 })
  t.equal(down.requests.length, 2)
  const broken = await server(t, null)
  await t.rejects(client.request(post(broken.url, { retry: { attempts: 2 } })), { code: 'upstream_failed' })
  t.equal(broken.requests.length, 2)

  for (const status of ['200 OK', '400 Bad Request', '404 Not Found', '500 Internal Server Error']) {
    const decided = await server(t, answer(status))
    await client.request(post(decided.url, { retry }))
    t.equal(decided.requests.length, 1, status)
  }
  const patient = await server(t, answer('503 Service Unavailable', 'retry-after: 3600\r\n'))
  t.match(await client.request(post(patient.url, { retry })), { status: 503 }, 'an hour is for the caller to wait')
  t.equal(patient.requests.length, 1)
})

t.test('without leave nothing is sent twice', async t => {
  const client = outboundClient(t, { allow })
  const broken = await server(t, null)
  await t.rejects(client.request(post(broken.url)), { code: 'upstream_failed' })
  t.equal(broken.requests.length, 1)
})

t.test('a request that cannot be sent is a fault of ours, and no answer of theirs', async t => {
  const receiver = await server(t, answer('200 OK'))
  const client = outboundClient(t, { allow })
  const injected = { headers: { 'x-a': '1\r\nx-b: 2' } }
  await t.rejects(client.request(post(receiver.url, injected)), { code: 'UND_ERR_INVALID_ARG' })
  t.equal(receiver.requests.length, 0)
})

t.test('a library that wants a fetch gets one with the same bounds', async t => {
  const client = outboundClient(t, { allow })
  const fetch = client.fetch({ target: 'library', timeoutMs: 5_000, maxBytes: 4 })
  const receiver = await server(
    t,
    'HTTP/1.1 201 Created\r\nset-cookie: a=1\r\nset-cookie: b=2\r\ncontent-length: 4\r\n\r\n{"":',
    answer('204 No Content'),
    answer('302 Found', 'location: https://example.com/\r\n'),
    'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabcde',
  )
  const body = new URLSearchParams({ a: 'b c' })
  const created = await fetch(receiver.url, { method: 'POST', headers: { accept: 'x' }, body })
  t.match(receiver.requests[0], /accept: x\r\n(.*\r\n)*\r\na=b\+c$/)
  t.same([created.status, created.headers.getSetCookie(), await created.text()], [201, ['a=1', 'b=2'], '{"":'])
  const get = () => fetch(receiver.url, { method: 'GET', headers: {} })
  t.equal((await get()).status, 204)
  t.equal((await get()).status, 302)
  await t.rejects(get(), { code: 'upstream_failed', message: 'the answer has more than 4 bytes' })
  await t.rejects(fetch('https://10.0.0.1/', { method: 'GET', headers: {} }), { code: 'destination_refused' })
})

t.test('after the end nothing begins', async t => {
  const receiver = await server(t, answer('200 OK'))
  const client = outboundClient(t, { allow })
  await client.close()
  await t.rejects(client.request(post(receiver.url)), { code: 'upstream_failed', message: 'this service is stopping' })
  t.equal(receiver.connections(), 0)
})

t.test('an app counts attempts by target and outcome, and ends what is under way when it closes', async t => {
  const { app } = await testApp(t, { outboundAllow: allow })
  const good = await server(t, answer('200 OK'))
  const bad = await server(t, answer('500 Internal Server Error'))
  const broken = await server(t, null)
  const silent = await listener(t)
  await app.outbound.request(post(good.url, { target: 'webhook' }))
  await app.outbound.request(post(bad.url, { target: 'webhook' }))
  await t.rejects(app.outbound.request(post(broken.url, { target: 'webhook' })))
  await t.rejects(app.outbound.request(post('https://127.1.1.1/', { target: 'webhook' })), {
    code: 'destination_refused',
  })
  t.throws(() => app.outbound.check('http://example.com/'), { code: 'destination_refused' })
  const { body } = await app.inject('/metrics')
  for (const outcome of ['2xx', '5xx', 'reset', 'refused'])
    t.match(body, `outbound_requests_total{target="webhook",outcome="${outcome}"} 1`)
  t.match(body, 'outbound_request_duration_seconds_count{target="webhook"} 4')

  const waiting = app.outbound
    .request(post(silent.url, { timeoutMs: 60_000, retry: { attempts: 5 } }))
    .catch(error => error)
  while (silent.connections() === 0) await new Promise(resolve => setTimeout(resolve, 10))
  await app.close()
  t.match(await waiting, { kind: 'reset' })
})
