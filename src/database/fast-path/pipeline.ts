import { setTimeout as sleep } from 'node:timers/promises'
import type pg from 'pg'
import { databaseDown } from '../errors.ts'
import type { Log } from '../log.ts'
import type { Query } from '../query.ts'
import type { Prepare, SingleStatements } from '../single-statements.ts'
import { sendStatement } from './query.ts'
import { WireClient } from './wire.ts'

/** Reads take the first and writes the last, so that no read waits behind a commit. Reads on both would cost a fifth more CPU. */
const CLIENTS = 2
/** A connection that has not answered for this long is stalled, and the other one is used: one slow statement does not hold up all. */
const STALL_MS = { read: 20, write: 200 }
const FIRST_RETRY_MS = 50
const LAST_RETRY_MS = 1_000
/** A start has more patience with a slow server than a request has. */
const OPENING_ATTEMPTS = 5
/** The driver's message when a connection takes too long. */
const SLOW = 'timeout expired'
/** How often a server is looked at that may have fallen silent. */
const WATCH_MS = 250

interface Connection {
  client: WireClient
  /** Queries without an answer. */
  inFlight: number
  /** When it last answered, or was last idle. */
  movedAt: number
  /** Takes no more queries and is replaced; those in flight end as they may. */
  lose(reason: string): void
}

const moves = ({ inFlight, movedAt }: Connection, since: number): boolean => inFlight === 0 || movedAt > since

/** Clients that send each query without waiting for the one before it; reconnected with backoff for as long as it is open. */
export class Pipeline implements SingleStatements {
  readonly #options: pg.ClientConfig
  readonly #log: Log
  readonly #prepare: Prepare | undefined
  readonly #closing = new AbortController()
  readonly #silentMs: number
  readonly #watch: NodeJS.Timeout
  #connections: Connection[] = []

  /**
   * A server that answers none of its queries for `query_timeout` is silent. The driver's own clock is not used: a timer for
   * each query, and the callback that it wraps keeps the rows until the next full collection.
   */
  constructor({ query_timeout: silentMs = 0, ...options }: pg.ClientConfig, log: Log, prepare?: Prepare) {
    this.#options = options
    this.#silentMs = silentMs
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

  /** A statement that writes, and is its own transaction: answered when the disk has it. */
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
   * The server would have ended the statement before: it is silent, on every connection. Whoever has waited is not to wait again.
   * Statements that take long one after another are no silence, however long the last of them has waited.
   */
  #hearSilence(): void {
    const late = performance.now() - this.#silentMs
    if (this.#connections.every(connection => moves(connection, late))) return
    for (const connection of this.#connections) {
      connection.lose('the server is silent')
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
        if (attempt === OPENING_ATTEMPTS || (error as Error).message !== SLOW) throw error
      }
    }
  }

  async #connect(): Promise<void> {
    const client = new WireClient({ ...this.#options, pipeline: true } as pg.ClientConfig)
    let lost = false
    const lose = (reason?: string) => {
      if (lost) return
      lost = true
      if (!this.#connections.includes(connection)) return
      this.#connections = this.#connections.filter(other => other !== connection)
      if (this.#closing.signal.aborted) return
      this.#log.warn({ reason }, 'database connection lost')
      void client.end()
      void this.#reconnect()
    }
    const connection: Connection = { client, inFlight: 0, movedAt: 0, lose }
    client.on('error', (error: Error) => lose(error.message))
    client.on('end', () => lose())
    await client.connect()
    await this.#prepareWithin(client)
    if (this.#closing.signal.aborted) return void client.end()
    // Lost in the moment in which it was ready: whoever connects has to try again.
    if (lost) throw databaseDown()
    this.#connections = [...this.#connections, connection]
  }

  /** A server that falls silent meanwhile is not waited for, as in `#hearSilence`. */
  async #prepareWithin(client: WireClient): Promise<void> {
    const silence = setTimeout(() => client.destroy(), this.#silentMs)
    try {
      await this.#prepare?.(client)
    } catch (error) {
      client.destroy()
      throw error
    } finally {
      clearTimeout(silence)
    }
  }

  async #reconnect(): Promise<void> {
    for (let delayMs = FIRST_RETRY_MS; !this.#closing.signal.aborted; delayMs = Math.min(delayMs * 2, LAST_RETRY_MS)) {
      try {
        return await this.#connect()
      } catch {
        await sleep(delayMs, undefined, { signal: this.#closing.signal }).catch(() => {})
      }
    }
  }
}
