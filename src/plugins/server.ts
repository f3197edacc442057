import type { IncomingMessage, Server } from 'node:http'
import { type FastifyBaseLogger, type FastifyHttpOptions, LogController } from 'fastify'
import pino from 'pino'
import type { Config } from '../config.ts'
import { LogBuffer, type Sink } from '../lib/log-buffer.ts'
import { requestIds } from './request.ts'
import { requestLog } from './request-log.ts'
import { headersWithoutHooks } from './security.ts'
import { refuseUnparsable } from './unparsable.ts'

const BODY_BYTES = 1_048_576
/** The whole request must arrive within this time, so slow headers and bodies are cut off. */
const REQUEST_MS = 10_000
const HEADERS_MS = 8_000
/** How often Node checks for late requests; with its default of 30 s they would live longer. */
const CHECK_MS = 1_000
/** Longer than the idle timeout of common load balancers, so that they close the connection first. */
const KEEP_ALIVE_MS = 72_000
/** Where sockets are opened. Everywhere else `Upgrade` is ignored, as RFC 9110 §7.8 lets a server do. */
const LIVE = /^\/api\/v1\/realtime(\?|$)/
const isLiveUpgrade = ({ method, url }: IncomingMessage): boolean => method === 'GET' && LIVE.test(url ?? '')
/** What an error may say in a log: never the values of a statement, which the database puts into `detail`. */
const errorFields = (error: Error & { code?: string; constraint?: string; severity?: string }) => ({
  type: error.name,
  code: error.code,
  constraint: error.constraint,
  message: error.severity === undefined ? error.message : 'see code',
  stack: error.stack?.split('\n').slice(1).join('\n'),
})

/** The library's types only know strings. */
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
  // The observability plugin writes one line for each request.
  logController: new LogController({ disableRequestLogging: true }),
  childLoggerFactory: requestLog,
  genReqId: requestIds(config.trustProxy),
  requestIdHeader: false,
  bodyLimit: BODY_BYTES,
  requestTimeout: REQUEST_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  // The guard asks for the Host itself, so that its absence is a problem like any other.
  http: {
    headersTimeout: HEADERS_MS,
    connectionsCheckingInterval: CHECK_MS,
    requireHostHeader: false,
    shouldUpgradeCallback: isLiveUpgrade,
  },
  // A path that cannot be decoded meets no route and no hook.
  frameworkErrors: (error, request, reply) => {
    reply.header('request-id', request.id).headers(headersWithoutHooks(config, request.headers.origin))
    request.server.errorHandler(error, request, reply)
  },
  forceCloseConnections: 'idle',
  // A request on an open connection is still answered: the load balancer has already been told to stop.
  return503OnClosing: false,
  clientErrorHandler: refuseUnparsable(config),
})
