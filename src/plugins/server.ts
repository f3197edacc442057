import type { Server } from 'node:http'
import type { Socket } from 'node:net'
import { type FastifyBaseLogger, type FastifyHttpOptions, LogController } from 'fastify'
import pino from 'pino'
import type { Config } from '../config.ts'
import { newId } from '../lib/ids.ts'
import { LogBuffer, type Sink } from '../lib/log-buffer.ts'
import { requestIds } from './request.ts'
import { requestLog } from './request-log.ts'

const BODY_BYTES = 1_048_576
/** The whole request must have arrived; slow headers and bodies end here. */
const REQUEST_MS = 10_000
const HEADERS_MS = 8_000
/** How often Node looks for requests past their time; its default of 30 s would let them live longer. */
const CHECK_MS = 1_000
/** Longer than the idle time of common balancers, so that they close first. */
const KEEP_ALIVE_MS = 72_000
/** For reading the refusal; a client that neither reads nor closes would keep the socket for ever, and a stop waiting. */
const LINGER_MS = 1_000
/** What an error may say in a log: never the values of a statement, which the database puts into `detail`. */
const errorFields = (error: Error & { code?: string; constraint?: string; severity?: string }) => ({
  type: error.name,
  code: error.code,
  constraint: error.constraint,
  message: error.severity === undefined ? error.message : 'see code',
  stack: error.stack?.split('\n').slice(1).join('\n'),
})

/** The types of the library know only text. */
const bytesToStdout = () => pino.destination({ dest: 1, sync: false, contentMode: 'buffer' }) as unknown as Sink

const logger = ({ logLevel, production }: Config) =>
  pino(
    {
      level: logLevel,
      base: null,
      timestamp: pino.stdTimeFunctions.epochTime,
      serializers: { err: errorFields },
      redact: { paths: ['*.password', '*.token', '*.authorization', '*.cookie', '*.secret'], remove: true },
    },
    production ? new LogBuffer(bytesToStdout()) : pino.destination({ dest: 1, sync: false }),
  )

/** Node keeps the answer in progress on its socket; its own handler of such errors looks there too. */
interface Answering extends Socket {
  _httpMessage?: { headersSent: boolean } | null
}

/** A request that Node cannot parse never becomes a request: its problem is written by hand. */
const refuseUnparsable =
  (publicUrl: string) =>
  (error: NodeJS.ErrnoException, socket: Socket): void => {
    if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy()
    // What comes after the head cannot be parsed, and the head has its answer: one request, one answer.
    if ((socket as Answering)._httpMessage?.headersSent) return void socket.end()
    const timeout = error.code === 'ERR_HTTP_REQUEST_TIMEOUT'
    const tooLarge = error.code === 'HPE_HEADER_OVERFLOW'
    const [status, code, title] = timeout
      ? [408, 'request_timeout', 'Request took too long to arrive']
      : tooLarge
        ? [431, 'headers_too_large', 'Request headers too large']
        : [400, 'malformed_request', 'Malformed request']
    const requestId = newId()
    const body = JSON.stringify({ type: `${publicUrl}/docs/errors#${code}`, title, status, code, requestId })
    socket.end(
      `HTTP/1.1 ${status} ${title}\r\nContent-Type: application/problem+json\r\nRequest-Id: ${requestId}\r\n` +
        `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    )
    setTimeout(() => socket.destroy(), LINGER_MS).unref()
  }

export const serverOptions = (config: Config): FastifyHttpOptions<Server, FastifyBaseLogger> => ({
  loggerInstance: logger(config),
  // One line for each request, written by the observability plugin.
  logController: new LogController({ disableRequestLogging: true }),
  childLoggerFactory: requestLog,
  genReqId: requestIds(config.trustProxy),
  requestIdHeader: false,
  bodyLimit: BODY_BYTES,
  requestTimeout: REQUEST_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  // The guard asks for the Host itself, so that its absence is a problem like any other.
  http: { headersTimeout: HEADERS_MS, connectionsCheckingInterval: CHECK_MS, requireHostHeader: false },
  // A path that cannot be decoded meets no route and no hook.
  frameworkErrors: (error, request, reply) => {
    reply.header('request-id', request.id)
    request.server.errorHandler(error, request, reply)
  },
  forceCloseConnections: 'idle',
  // A request on a connection that is still open is answered: the balancer has had its notice.
  return503OnClosing: false,
  clientErrorHandler: refuseUnparsable(config.publicUrl),
})
