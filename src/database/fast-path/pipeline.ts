import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { databaseDown } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Query } from '../query.ts'
import type { Servers } from '../servers.ts'
import type { Prepare, SingleStatements } from '../single-statements.ts'
import { sendStatement } from './query.ts'
import { WireClient } from './wire.ts'

/**
 * Reads use the first connection and writes the last, so that no read waits behind a commit. Reading on both would cost
 * a fifth more CPU.
 */
const CLIENTS = 2
/**
 * A connection that has not answered for this long (ms) counts as stalled, and the other one is used: one slow
 * statement must not delay the others.
 */
const STALL_MS = { read: 20, write: 200 }
const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 1_000
/** A start waits longer for a slow server than a request does. */
const OPENING_ATTEMPTS = 5
/** The driver's message when a connection takes too long. */
const SLOW = 'timeout expired'
/** How often (ms) to check whether the server has become silent. */
const WATCH_MS = 250

interface Behind {
  servers: Servers
  log: Log
  prepare?: Prepare
}
interface Connection {
  client: WireClient
  /** The number of queries without an answer. */
  inFlight: number
  /** The time (ms) of its last answer, or when it was last idle. */
  movedAt: number
  /** Takes the connection out of use and replaces it; queries in flight may still finish. */
  lose(cause: Error): void
}

const moves = ({ inFlight, movedAt }: Connection, since: number): boolean => inFlight === 0 || movedAt > since

/**
 * Clients that send each query without waiting for the answer of the one before it. A lost one is reconnected with
 * backoff until `close()`.
 */
export class Pipeline implements SingleStatements {
  readonly #options: pg.ClientConfig
  readonly #servers: Servers
  readonly #log: Log
  readonly #prepare: Prepare | undefined
  readonly #closing = new AbortController()
  readonly #silentMs: number
  readonly #watch: NodeJS.Timeout
  #connections: Connection[] = []

  /**
   * A server that answers no query for `query_timeout` is silent. The driver's own timeout is not used: it costs a
   * timer for each query, and its wrapped callback keeps the rows in memory until the next full garbage collection.
   */
  constructor({ query_timeout: silentMs = 0, ...options }: pg.ClientConfig, { servers, log, prepare }: Behind) {
    this.#options = options
    this.#silentMs = silentMs
    this.#servers = servers
    this.#log = log
    this.#prepare = prepare
    this.#watch = setInterval(() => this.#hearSilence(), WATCH_MS).unref()
  }

  get connected(): boolean {
    return this.#connections.length > 0
  }

  async open(): Promise<void> {
    await Promise.all(Array.from({ length: CLIENTS }, () => this.#connectPatiently()))
  }

  read<Result>(query: Query<Result>): Promise<Result[]> {
    const now = performance.now()
    return this.#send(
      this.#connections.find(connection => moves(connection, now - STALL_MS.read)) ?? this.#connections.at(-1),
      query,
      now,
    )
  }

  /** Runs a statement that writes as its own transaction; resolves when it is committed to disk. */
  write<Result>(query: Query<Result>): Promise<Result[]> {
    const now = performance.now()
    return this.#send(
      this.#connections.findLast(connection => moves(connection, now - STALL_MS.write)) ?? this.#connections[0],
      query,
      now,
    )
  }

  async #send<Result>(connection: Connection | undefined, query: Query<Result>, now: number): Promise<Result[]> {
    if (!connection) throw databaseDown()
    if (connection.inFlight++ === 0) connection.movedAt = now
    try {
      return await sendStatement(connection.client, query)
    } finally {
      connection.inFlight--
      connection.movedAt = performance.now()
    }
  }

  /**
   * Checks whether every connection is silent. The server's `statement_timeout` would have ended a slow statement
   * before, so the queries in flight are rejected and the connections closed. Several long statements one after another
   * are not silence, however long the last one has waited.
   */
  #hearSilence(): void {
    const late = performance.now() - this.#silentMs
    if (this.#connections.every(connection => moves(connection, late))) return
    for (const connection of this.#connections) {
      connection.lose(new Error('the server is silent'))
      connection.client.destroy()
    }
  }

  async close(): Promise<void> {
    this.#closing.abort()
    clearInterval(this.#watch)
    await Promise.all(this.#connections.map(connection => connection.client.end()))
  }

  async #connectPatiently(): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#connect()
      } catch (error) {
        const attempts = (error as Error).message === SLOW ? OPENING_ATTEMPTS : this.#servers.count
        if (attempt >= attempts) throw error
      }
    }
  }

  async #connect(): Promise<void> {
    const client = new WireClient({ ...this.#options, pipeline: true } as pg.ClientConfig)
    let loss: Error | undefined
    const lose = (cause: Error) => {
      if (loss) return
      loss = cause
      if (!this.#connections.includes(connection)) return
      this.#connections = this.#connections.filter(other => other !== connection)
      if (this.#closing.signal.aborted) return
      this.#log.warn({ reason: cause.message }, 'database connection lost')
      void client.end()
      void this.#reconnect()
    }
    const connection: Connection = { client, inFlight: 0, movedAt: 0, lose }
    client.on('error', lose)
    client.on('end', () => lose(new Error('Connection terminated')))
    await this.#servers.connect(client, () => client.connect())
    await this.#prepareWithin(client)
    if (this.#closing.signal.aborted) return void client.end()
    // The connection was lost just after it became ready: the caller of `#connect` must try again.
    if (loss) throw databaseDown(loss)
    this.#connections = [...this.#connections, connection]
  }

  /** Runs `prepare`; closes the connection when the server is silent during it, as in `#hearSilence`. */
  async #prepareWithin(client: WireClient): Promise<void> {
    let silent = false
    const silence = setTimeout(() => {
      silent = true
      client.destroy()
    }, this.#silentMs)
    try {
      await this.#prepare?.(client)
    } catch (error) {
      client.destroy()
      throw silent ? new Error(SLOW) : error
    } finally {
      clearTimeout(silence)
    }
  }

  async #reconnect(): Promise<void> {
    for (let delayMs = FIRST_RETRY_MS; !this.#closing.signal.aborted; delayMs = Math.min(delayMs * 2, LAST_RETRY_MS)) {
      try {
        return await this.#connect()
      } catch {
        await sleep(delayMs / this.#servers.count, undefined, { signal: this.#closing.signal }).catch(() => {})
      }
    }
  }
}
