import { EventEmitter } from 'node:events'
import pg from 'pg'
import { AppError } from '../lib/errors.ts'
import { databaseDown } from './errors.ts'
import { type Executor, send } from './executor.ts'
import { Pipeline } from './fast-path/pipeline.ts'
import { WireClient } from './fast-path/wire.ts'
import { Listener } from './listener.ts'
import type { Log } from './log.ts'
import { PlainStatements } from './plain.ts'
import type { Query } from './query.ts'
import type { Prepare, SingleStatements } from './single-statements.ts'

/** Server-side bounds come first, so that the client's own bound only meets a server that is silent. */
const STATEMENT_TIMEOUT_MS = 3_000
const LOCK_TIMEOUT_MS = 2_000
const IDLE_IN_TRANSACTION_MS = 10_000
const QUERY_TIMEOUT_MS = 3_500
/** How long a transaction may wait for a connection, new or freed. */
const ACQUIRE_TIMEOUT_MS = 1_000

/**
 * Generic plans: left to itself PostgreSQL may plan a prepared statement anew for each execution, depending on how it was
 * first used, and planning the look-up of one row costs four times what running it does. A page out of order costs as on a
 * disk without moving parts: with the default of 4 small tables are read whole for each row that is looked up.
 */
const SESSION = '-c TimeZone=UTC -c DateStyle=ISO -c plan_cache_mode=force_generic_plan -c random_page_cost=1.1'

export interface DatabaseOptions {
  url: string
  /** Connections for transactions. */
  pool: number
  log: Log
  /** Whether to leave the documented way of the driver for speed: `fast-path/README.md`. */
  fastPath: boolean
  /** Runs on each new connection of those for single statements before it is used, so before transactions as well. */
  prepare?: Prepare
}

export function connectionOptions(url: string): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: 'lintel',
    options: SESSION,
    keepAlive: true,
    connectionTimeoutMillis: ACQUIRE_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    statement_timeout: STATEMENT_TIMEOUT_MS,
    lock_timeout: LOCK_TIMEOUT_MS,
    idle_in_transaction_session_timeout: IDLE_IN_TRANSACTION_MS,
  }
}

/** The same for a pool, whose clients are those of the fast path or the driver's own. */
export const poolOptions = (url: string, { fastPath }: Pick<DatabaseOptions, 'fastPath'>): pg.PoolConfig => ({
  ...connectionOptions(url),
  Client: fastPath ? WireClient : pg.Client,
})

/** An open transaction. It ends when the work given to `transaction()` settles. */
export class Transaction implements Executor {
  readonly coalesces = false
  readonly #client: pg.PoolClient
  readonly #announcements: [topic: string, ids: string[]][] = []

  constructor(client: pg.PoolClient) {
    this.#client = client
  }

  run<Result>(query: Query<Result>): Promise<Result[]> {
    return send(this.#client, query)
  }

  /** Tells the listeners of this process as soon as it has committed; `notify` wakes those of others. */
  announce(topic: string, ids: string[]): void {
    this.#announcements.push([topic, ids])
  }

  /**
   * Wakes whoever listens to `channel`, on every node, as soon as it has committed. Such commits wait for each other across
   * the whole server: for what is rare, never for a hot path.
   */
  async notify(channel: string): Promise<void> {
    await this.#client.query(`select pg_notify($1, '')`, [channel])
  }

  get announcements(): readonly [topic: string, ids: string[]][] {
    return this.#announcements
  }

  /** Foreign SQL, as the job library writes it; rows are objects. */
  async execute(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }> {
    return this.#client.query(text, values)
  }
}

/**
 * The connections of this process: pipelined clients (or a pool) for single statements, a bounded pool for transactions
 * (commits on one pipelined connection would wait for each other), one that listens. Losing them rejects what is in flight, never the process.
 */
export class Database implements Executor {
  readonly #single: SingleStatements
  readonly #pool: pg.Pool
  readonly #news = new EventEmitter()
  readonly listener: Listener
  /** For single statements that write. */
  readonly writes: Executor
  readonly coalesces: boolean

  constructor({ url, pool, log, fastPath, prepare }: DatabaseOptions) {
    const options = connectionOptions(url)
    const openPool = (more: pg.PoolConfig) => loggedPool({ ...poolOptions(url, { fastPath }), max: pool, ...more }, log)
    const prepared: pg.PoolConfig = prepare ? { onConnect: prepare } : {}
    this.coalesces = fastPath
    this.#single = fastPath
      ? new Pipeline(options, log, prepare)
      : new PlainStatements(openPool({ ...prepared, connectionTimeoutMillis: QUERY_TIMEOUT_MS }))
    this.writes = { coalesces: fastPath, run: query => this.#single.write(query) }
    this.listener = new Listener(options, log)
    this.#pool = openPool(fastPath ? {} : prepared)
  }

  /** Resolves when the first connection stands; rejects when the server refuses it. */
  open(): Promise<void> {
    return this.#single.open()
  }

  get connected(): boolean {
    return this.#single.connected
  }

  run<Result>(query: Query<Result>): Promise<Result[]> {
    return this.#single.read(query)
  }

  /** Commits when `work` resolves, rolls back when it throws. */
  async transaction<T>(work: (tx: Transaction) => Promise<T>): Promise<T> {
    if (!this.connected) throw databaseDown()
    const client = await this.#pool.connect()
    try {
      await client.query('begin')
      const tx = new Transaction(client)
      const result = await work(tx)
      await client.query('commit')
      client.release()
      for (const [topic, ids] of tx.announcements) this.#news.emit(topic, ids)
      return result
    } catch (error) {
      const rolledBack = client.query('rollback').then(
        () => client.release(),
        () => client.release(true),
      )
      // What is refused is refused after its locks are free. A lost or silent server is not waited for.
      if (error instanceof AppError && error.status < 500) await rolledBack
      throw error
    }
  }

  /** `listener` hears what transactions of this process announce, before whoever waits for them goes on. */
  onCommitted(topic: string, listener: (ids: string[]) => void): void {
    this.#news.on(topic, listener)
  }

  async close(): Promise<void> {
    this.listener.close()
    await Promise.all([this.#single.close(), this.#pool.end()])
  }
}

function loggedPool(options: pg.PoolConfig, log: Log): pg.Pool {
  const pool = new pg.Pool(options)
  pool.on('error', error => log.warn({ reason: error.message }, 'idle database connection lost'))
  pool.on('connect', client => client.on('error', () => {}))
  return pool
}
