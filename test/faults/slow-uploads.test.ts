import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { multipart } from '../helpers/multipart.ts'
import { startLintel } from './lintel.ts'
import { emptyDatabase } from './postgres.ts'
import { createTenant } from './tenant.ts'

/** Longer than any other request may take to arrive, and than a handler may take. */
const UPLOAD_MS = 16_000
const PIECES = 32
const PIECE_BYTES = 50_000
/** A window of ten seconds must end without enough bytes; Lintel looks once in each. */
const GIVEN_UP_MS = 25_000

t.test('an upload may take its time, and one that stands still is ended with 408', async t => {
  const lintel = await startLintel(t, { databaseUrl: await emptyDatabase(t) })
  const { token, organizationId } = await createTenant(lintel.base)
  const { body, headers } = multipart({ content: Buffer.alloc(PIECES * PIECE_BYTES, 'x') })
  const head = [
    `POST /api/v1/organizations/${organizationId}/files HTTP/1.1`,
    'Host: localhost',
    `Authorization: Bearer ${token}`,
    `Content-Type: ${headers['content-type']}`,
    `Content-Length: ${body.length}`,
  ]
  const begin = () => {
    const socket = connect(lintel.port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    socket.on('error', () => {})
    let received = ''
    socket.on('data', data => {
      received += data
    })
    socket.write(`${head.join('\r\n')}\r\n\r\n`)
    return { socket, received: () => received }
  }

  const still = begin()
  const startedAt = performance.now()
  still.socket.write(body.subarray(0, PIECE_BYTES))
  const closed = once(still.socket, 'close').then(() => performance.now() - startedAt)

  const slow = begin()
  for (let sent = 0; sent < body.length; sent += PIECE_BYTES) {
    slow.socket.write(body.subarray(sent, sent + PIECE_BYTES))
    await sleep(UPLOAD_MS / PIECES)
  }
  while (!slow.received().includes('\r\n\r\n')) await once(slow.socket, 'data')
  t.match(slow.received(), /^HTTP\/1\.1 201 /)

  t.ok((await closed) < GIVEN_UP_MS, `closed after ${Math.round(await closed)} ms`)
  t.match(still.received(), /^HTTP\/1\.1 408 [\s\S]*"code":"request_timeout"/)
  t.strictSame(lintel.faults(), [], 'no error in its log')
})
