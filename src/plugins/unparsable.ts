import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Config } from '../config.ts'
import { type ErrorFactory, requestErrors } from '../lib/errors.ts'
import { newId } from '../lib/ids.ts'
import { problemOf } from './errors.ts'
import { headersWithoutHooks } from './security.ts'

/** For reading the refusal; a client that neither reads nor closes would keep the socket for ever, and a stop waiting. */
const LINGER_MS = 1_000
const ORIGIN = /\r\norigin:[ \t]*([^\r\n]*?)[ \t]*\r\n/i

/** Node keeps the answer in progress on its socket; its own handler of such errors looks there too. */
interface Answering extends Socket {
  _httpMessage?: { headersSent: boolean; req: IncomingMessage } | null
}
/** What could not be parsed, as far as it has arrived; the library's type takes it for JSON. */
type ClientError = NodeJS.ErrnoException & { rawPacket?: unknown }

const byCode: Record<string, ErrorFactory> = {
  ERR_HTTP_REQUEST_TIMEOUT: requestErrors.request_timeout,
  HPE_HEADER_OVERFLOW: requestErrors.headers_too_large,
}

/** A request that Node cannot parse never becomes a request: its problem is written by hand. */
export const refuseUnparsable =
  (config: Config) =>
  (error: ClientError, socket: Answering): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    // What comes after the head cannot be parsed, and the head has its answer: one request, one answer.
    if (socket._httpMessage?.headersSent) return void socket.end()
    const problem = problemOf(
      (byCode[error.code ?? ''] ?? requestErrors.malformed_request)(),
      newId(),
      config.publicUrl,
    )
    const body = JSON.stringify(problem)
    const headers = {
      date: new Date().toUTCString(),
      'request-id': problem.requestId,
      ...headersWithoutHooks(config, originOf(error, socket)),
      'cache-control': 'no-store',
      'content-type': 'application/problem+json; charset=utf-8',
      'content-length': Buffer.byteLength(body),
      connection: 'close',
    }
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.end(`HTTP/1.1 ${problem.status} ${problem.title}\r\n${lines.join('')}\r\n${body}`)
    setTimeout(() => socket.destroy(), LINGER_MS).unref()
  }

/** Of the request whose body is late, else of what has arrived of a head. */
const originOf = ({ rawPacket }: ClientError, { _httpMessage }: Answering): string | undefined =>
  _httpMessage?.req.headers.origin ?? ORIGIN.exec(Buffer.isBuffer(rawPacket) ? rawPacket.toString('latin1') : '')?.[1]
