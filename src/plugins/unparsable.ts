import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Config } from '../config.ts'
import { type ErrorFactory, requestErrors } from '../lib/errors.ts'
import { newId } from '../lib/ids.ts'
import { problemOf } from './errors.ts'
import { headersWithoutHooks } from './security.ts'
import { isStreaming } from './streamed-body.ts'

/**
 * How long the client gets to read the response; one that neither reads nor closes would keep the socket for ever, and
 * delay a shutdown.
 */
const LINGER_MS = 1_000
const ORIGIN = /\r\norigin:[ \t]*([^\r\n]*?)[ \t]*\r\n/i

/** Node keeps the current response on its socket; its own handler of such errors reads it too. */
interface Answering extends Socket {
  _httpMessage?: { headersSent: boolean; req: IncomingMessage } | null
}
/** `rawPacket` is what has arrived of the request; Fastify's type declares it as JSON. */
type ClientError = NodeJS.ErrnoException & { rawPacket?: unknown }

const LATE = 'ERR_HTTP_REQUEST_TIMEOUT'
const byCode: Record<string, ErrorFactory> = {
  [LATE]: requestErrors.request_timeout,
  HPE_HEADER_OVERFLOW: requestErrors.headers_too_large,
}

/** Writes the problem response by hand, because a request that Node cannot parse never reaches Fastify. */
export const refuseUnparsable =
  (config: Config) =>
  (error: ClientError, socket: Answering): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    // Such a body has a limit of its own.
    if (error.code === LATE && socket._httpMessage && isStreaming(socket._httpMessage.req)) return
    // The request already has its response; what follows on the connection cannot be parsed.
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

/** The origin of the request whose body is late, else that in the head as far as it has arrived. */
const originOf = ({ rawPacket }: ClientError, { _httpMessage }: Answering): string | undefined =>
  _httpMessage?.req.headers.origin ?? ORIGIN.exec(Buffer.isBuffer(rawPacket) ? rawPacket.toString('latin1') : '')?.[1]
