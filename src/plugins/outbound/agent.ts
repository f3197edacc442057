import { Agent } from 'undici'
import type { AllowList } from '../../lib/allow-list.ts'
import { type Dialer, guardedConnector } from './connector.ts'
import type { Resolve } from './resolve.ts'

/** The most sockets to one origin; further requests wait for one, within their timeout. */
const CONNECTIONS = 32
/**
 * How long an idle connection is kept, also when a server offers longer by `Keep-Alive`. It is below the five seconds
 * after which many servers close one, so few requests meet a closed connection.
 */
const IDLE_MS = 4_000
/** A connection is closed after this time, so that the name is resolved again and an old address is soon left. */
const CONNECTION_MS = 60_000
const MAX_HEADER_BYTES = 16_384

/**
 * Returns an agent whose connections are all opened by the guard. It follows no redirect and reads no proxy from the
 * environment.
 */
export const guardedAgent = (
  allow: AllowList,
  resolve: Resolve,
  { open, connections = CONNECTIONS }: { open?: Dialer | undefined; connections?: number | undefined } = {},
): Agent =>
  new Agent({
    connect: guardedConnector(allow, resolve, open),
    connections,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
    clientTtl: CONNECTION_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    allowH2: false,
  })
