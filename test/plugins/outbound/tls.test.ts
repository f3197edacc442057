import { type AddressInfo, createServer as createListener } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import t from 'tap'
import { buildConnector } from 'undici'
import type { Dialer } from '../../../src/plugins/outbound/connector.ts'
import { listener, onRequest, outboundClient, post } from '../../helpers/outbound.ts'
import { certificate } from './certificate.ts'

const ANSWER = 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'
const FAILED = { code: 'upstream_failed' }

/** A connector that trusts the certificate of the tests. */
const trusting: Dialer = lookup => buildConnector({ lookup, ca: certificate.cert, allowH2: false })

/** Starts a TLS server on loopback that records requests and the server names (SNI) of connections. */
async function secure(t: { teardown(done: () => unknown): void }) {
  const names: (string | false)[] = []
  const requests: string[] = []
  const sockets = new Set<TLSSocket>()
  const server = createServer(certificate, socket => {
    names.push(socket.servername as string)
    sockets.add(socket)
    onRequest((_, request) => {
      requests.push(request)
      socket.write(ANSWER)
    })(socket)
  })
  server.on('tlsClientError', () => {})
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, names, requests }
}

const here = async () => [{ address: '127.0.0.1', family: 4 }]

t.test('the certificate is checked for the name of the URL, whatever the address', async t => {
  const { port, names, requests } = await secure(t)
  const client = outboundClient(t, { allow: ['127.0.0.1'], ports: [port], resolve: here, open: trusting })
  const answer = await client.request(post(`https://hooks.example.com:${port}/a?b`))
  t.match({ ...answer, body: answer.body.toString() }, { status: 200, body: 'ok' })
  t.same(names, ['hooks.example.com'])
  t.match(requests[0], `POST /a?b HTTP/1.1\r\nhost: hooks.example.com:${port}\r\n`)

  const other = { ...FAILED, message: 'the certificate is for another host' }
  await t.rejects(client.request(post(`https://others.example.com:${port}/`)), other)
  await t.rejects(client.request(post(`https://127.0.0.1:${port}/`)), other)
  t.equal(requests.length, 1, 'nothing was sent to whoever is somebody else')
})

t.test('without a certificate that is trusted nothing is sent', async t => {
  const { port, requests } = await secure(t)
  const client = outboundClient(t, { allow: ['127.0.0.1'], ports: [port], resolve: here })
  const url = `https://hooks.example.com:${port}/`
  await t.rejects(client.request(post(url)), { ...FAILED, message: 'the certificate is not trusted' })
  t.equal(requests.length, 0)
})

t.test('a server without TLS gets no request', async t => {
  const client = outboundClient(t, { allow: ['127.0.0.1'] })
  const plain = await listener(t, socket => socket.end(ANSWER))
  const failed = { ...FAILED, message: 'no secure connection: the TLS handshake failed' }
  await t.rejects(client.request(post(plain.url.replace('http:', 'https:'))), failed)
})

t.test('a handshake that does not go on ends before the time of the whole', async t => {
  let closed = false
  const silent = createListener(socket =>
    socket
      .on('error', () => {})
      .on('close', () => {
        closed = true
      })
      .resume(),
  )
  await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
  t.teardown(() => silent.close())
  const client = outboundClient(t, { allow: ['127.0.0.1'] })
  const url = `https://127.0.0.1:${(silent.address() as AddressInfo).port}/`
  const late = { ...FAILED, message: 'no connection within the time for it' }
  await t.rejects(client.request(post(url, { timeoutMs: 60_000 })), late)
  while (!closed) await new Promise(resolve => setTimeout(resolve, 20))
  t.pass('and its socket is closed')
})
