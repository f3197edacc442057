import type { Server } from 'node:http'
import { type FastifyBaseLogger, type FastifyHttpOptions, LogController } from 'fastify'
import pino from 'pino'
import type { Config } from '../config.ts'
import { LogBuffer, type Sink } from '../lib/log-buffer.ts'
import { requestIds } from './request.ts'
import { requestLog } from './request-log.ts'
import { headersWithoutHooks } from './security.ts'
import { refuseUnparsable } from './unparsable.ts'

const BODY_BYTES = 1_048_576
/** The whole request must have arrived; slow headers and bodies end here. */
const REQUEST_MS = 10_000
const HEADERS_MS = 8_000
/** How often Node looks for requests past their time; its default of 30 s would let them live longer. */
const CHECK_MS = 1_000
/** Longer than the idle time of common balancers, so that they close first. */
const KEEP_ALIVE_MS = 72_000
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
    reply.header('request-id', request.id).headers(headersWithoutHooks(config, request.headers.origin))
    request.server.errorHandler(error, request, reply)
  },
  forceCloseConnections: 'idle',
  // A request on a connection that is still open is answered: the balancer has had its notice.
  return503OnClosing: false,
  clientErrorHandler: refuseUnparsable(config),
})
