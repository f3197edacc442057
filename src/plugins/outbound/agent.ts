import { Agent } from 'undici'
import type { AllowList } from '../../lib/allow-list.ts'
import { type Dialer, guardedConnector } from './connector.ts'
import type { Resolve } from './resolve.ts'

/** Sockets to one origin; more requests wait for one, within their time. */
const CONNECTIONS = 32
/**
 * Below the five seconds after which many servers close an idle connection, so that few requests meet its end; also where a
 * server offers more by `Keep-Alive`.
 */
const IDLE_MS = 4_000
/** After this a name is asked for again: an address that it no longer has is soon left. */
const CONNECTION_MS = 60_000
const MAX_HEADER_BYTES = 16_384

/** Connections per origin, each opened by the guard. It follows no redirect, and reads no proxy from the environment. */
export const guardedAgent = (allow: AllowList, resolve: Resolve, open?: Dialer): Agent =>
  new Agent({
    connect: guardedConnector(allow, resolve, open),
    connections: CONNECTIONS,
    keepAliveTimeout: IDLE_MS,
    keepAliveMaxTimeout: IDLE_MS,
    clientTtl: CONNECTION_MS,
    maxHeaderSize: MAX_HEADER_BYTES,
    allowH2: false,
  })
