import { EventEmitter } from 'node:events'
import pg from 'pg'
import { AppError } from '../lib/errors.ts'
import { lockKeyOf } from '../lib/ids.ts'
import type { Tracing } from '../lib/tracing.ts'
import { databaseDown } from './errors.ts'
import { type Executor, send } from './executor.ts'
import { Pipeline } from './fast-path/pipeline.ts'
import { WireClient } from './fast-path/wire.ts'
import { ConnectionGate, gatedPool } from './gate.ts'
import { Listener } from './listener.ts'
import type { Log } from './log.ts'
import { PlainStatements } from './plain.ts'
import type { Query } from './query.ts'
import { Servers, urlsOf } from './servers.ts'
import type { Prepare, SingleStatements } from './single-statements.ts'
import { recorded, TracedStatements } from './traced.ts'
import { Turns } from './turns.ts'

/**
 * The server's limits are shorter than the client's `query_timeout`, so the client's limit is reached only when the
 * server is silent.
 */
const STATEMENT_TIMEOUT_MS = 3_000
const LOCK_TIMEOUT_MS = 2_000
const IDLE_IN_TRANSACTION_MS = 10_000
const QUERY_TIMEOUT_MS = 3_500
/** How long those wait who change the row that others change: what is left of a handler's time does for the work itself. */
const TURN_MS = 8_000
/** How long a connection may take to open, and by default how long a transaction waits for one, new or released. */
const ACQUIRE_TIMEOUT_MS = 1_000

/**
 * Options of each connection. `force_generic_plan`: otherwise PostgreSQL may plan a prepared statement again for each
 * execution, depending on how it was first used, and planning the look-up of one row costs four times as much as
 * running it. `random_page_cost=1.1` is the cost on an SSD: with the default of 4, small tables are read whole for each
 * row that is looked up.
 */
const SESSION = '-c TimeZone=UTC -c DateStyle=ISO -c plan_cache_mode=force_generic_plan -c random_page_cost=1.1'

export interface DatabaseOptions {
  url: string
  /** The number of connections for transactions. */
  pool: number
  /** How long a transaction waits for one of them (ms). */
  acquireMs?: number
  log: Log
  /** Whether to use the parts of `fast-path/README.md`, which rely on the driver's internals for speed. */
  fastPath: boolean
  /** Null where nobody collects spans. */
  tracing?: Tracing | null
  /** Runs on each new connection for single statements before it is used, and so also before any transaction. */
  prepare?: Prepare
}

export function connectionOptions(url: string): pg.ClientConfig {
  return {
    connectionString: urlsOf(url)[0] as string,
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

/** The connection options for a pool. Its clients are `WireClient` with the fast path, otherwise the driver's own. */
export const poolOptions = (url: string, { fastPath }: Pick<DatabaseOptions, 'fastPath'>): pg.PoolConfig => ({
  ...connectionOptions(url),
  Client: fastPath ? WireClient : pg.Client,
})

const queueFor = (id: string): string => `select pg_advisory_xact_lock(${lockKeyOf(id)})`

/** An open transaction. It ends when the promise of the work given to `transaction()` settles. */
export class Transaction implements Executor {
  readonly coalesces = false
  readonly #client: pg.PoolClient
  readonly #tracing: Tracing | null
  readonly #announcements: [topic: string, ids: string[]][] = []

  constructor(client: pg.PoolClient, tracing: Tracing | null = null) {
    this.#client = client
    this.#tracing = tracing
  }

  run<Result>(query: Query<Result>): Promise<Result[]> {
    return recorded(this.#tracing, query, () => send(this.#client, query))
  }

  /** Calls the `onCommitted` listeners of this process after the commit; `notify` reaches other processes. */
  announce(topic: string, ids: string[]): void {
    this.#announcements.push([topic, ids])
  }

  /**
   * Notifies the listeners of `channel` in all processes after the commit. Commits with a notification wait for each
   * other across the whole server: use it for rare events, never on a hot path.
   */
  async notify(channel: string): Promise<void> {
    await this.#client.query(`select pg_notify($1, '')`, [channel])
  }

  /**
   * Waits for the other transactions that queue for this id, until the commit. Call it before anything is written: a
   * transaction gets its id, and with it the place of its events in the log, with its first write, also when that has to
   * wait for the lock of a row. Those who change a row and queue before leave their events in the order of its versions.
   */
  async queue(id: string): Promise<void> {
    await this.#client.query(queueFor(id))
  }

  get announcements(): readonly [topic: string, ids: string[]][] {
    return this.#announcements
  }

  /** Runs the SQL text of another library (the job queue). Rows are objects. */
  async execute(text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[] }> {
    return this.#client.query(text, values)
  }
}

/** Runs single statements that write. */
class Writes implements Executor {
  readonly #database: Pick<Executor, 'coalesces'>
  readonly #single: SingleStatements

  constructor(database: Pick<Executor, 'coalesces'>, single: SingleStatements) {
    this.#database = database
    this.#single = single
  }

  get coalesces(): boolean {
    return this.#database.coalesces
  }

  run<Result>(query: Query<Result>): Promise<Result[]> {
    return this.#single.write(query)
  }
}

/**
 * The connections of this process: pipelined clients (or a pool) for single statements, a bounded pool for transactions
 * (commits on one pipelined connection would wait for each other), and one connection for LISTEN. A lost connection
 * rejects the queries in flight; the process goes on.
 */
export class Database implements Executor {
  readonly #single: SingleStatements
  readonly #pool: pg.Pool
  readonly #tracing: Tracing | null
  readonly #fastPath: boolean
  readonly #news = new EventEmitter()
  readonly #turns = new Turns(TURN_MS)
  readonly listener: Listener
  readonly writes: Executor

  constructor({ url, pool, acquireMs = ACQUIRE_TIMEOUT_MS, log, fastPath, tracing = null, prepare }: DatabaseOptions) {
    const options = connectionOptions(url)
    const servers = new Servers(url)
    const gate = new ConnectionGate()
    const openPool = (more: pg.PoolConfig) =>
      gatedPool({ ...poolOptions(url, { fastPath }), max: pool, ...more }, { servers, gate, log })
    const prepared: pg.PoolConfig = prepare ? { onConnect: prepare } : {}
    const prepareAndOpen: Prepare = async client => {
      await prepare?.(client)
      gate.open()
    }
    this.#tracing = tracing
    this.#fastPath = fastPath
    const single = fastPath
      ? new Pipeline(options, { servers, log, prepare: prepareAndOpen })
      : new PlainStatements(openPool({ ...prepared, connectionTimeoutMillis: QUERY_TIMEOUT_MS }))
    this.#single = tracing ? new TracedStatements(single, tracing) : single
    this.writes = new Writes(this, this.#single)
    this.listener = new Listener(options, servers, log)
    this.#pool = openPool({ ...(fastPath ? {} : prepared), connectionTimeoutMillis: acquireMs })
  }

  /** Resolves when the first connection is open; rejects when the server refuses it. */
  open(): Promise<void> {
    return this.#single.open()
  }

  get connected(): boolean {
    return this.#single.connected
  }

  /** What is recorded shares no statement: it would be the span of one caller only. */
  get coalesces(): boolean {
    return this.#fastPath && !this.#tracing?.isRecording
  }

  run<Result>(query: Query<Result>): Promise<Result[]> {
    return this.#single.read(query)
  }

  /**
   * Runs `work` in a transaction, which queues for `id` when there is one: those of this process without a connection, so
   * that many changes of one row leave connections for others. Commits when `work` resolves, rolls back when it throws.
   * Throws `database_unavailable`, `overloaded` and `handler_timeout`.
   */
  transaction<T>(work: (tx: Transaction) => Promise<T>, id: string | null = null): Promise<T> {
    const inTurn = () =>
      id === null ? this.#transaction(work, id) : this.#turns.of(id, () => this.#transaction(work, id))
    return this.#tracing?.isRecording ? this.#tracing.span('transaction', { kind: 'internal' }, inTurn) : inTurn()
  }

  async #transaction<T>(work: (tx: Transaction) => Promise<T>, id: string | null): Promise<T> {
    if (!this.connected) throw databaseDown()
    const client = await this.#pool.connect()
    try {
      await client.query(id === null ? 'begin' : `begin; ${queueFor(id)}`)
      const tx = new Transaction(client, this.#tracing)
      const result = await work(tx)
      await client.query('commit')
      client.release()
      for (const [topic, ids] of tx.announcements) this.announce(topic, ids)
      return result
    } catch (error) {
      const rolledBack = client.query('rollback').then(
        () => client.release(),
        () => client.release(true),
      )
      // A refused request (4xx) is answered after its locks are released. A lost or silent server is not waited for.
      if (error instanceof AppError && error.status < 500) await rolledBack
      throw error
    }
  }

  /** Calls the `onCommitted` listeners of this process about what a single statement has committed. */
  announce(topic: string, ids: string[]): void {
    this.#news.emit(topic, ids)
  }

  /** Calls `listener` with what transactions of this process announce, before `transaction()` resolves. */
  onCommitted(topic: string, listener: (ids: string[]) => void): void {
    this.#news.on(topic, listener)
  }

  async close(): Promise<void> {
    this.listener.close()
    await Promise.all([this.#single.close(), this.#pool.end()])
  }
}
