import pg from 'pg'
import { databaseDown } from './errors.ts'
import type { Log } from './log.ts'

/** This many attempts in a row may fail before the gate closes: one lost connection alone must refuse nobody. */
const FREE_FAILURES = 3
const FIRST_PAUSE_MS = 50
/** As long as the longest pause of the pipelined clients, so that a pool is usable again no later than they are. */
const LAST_PAUSE_MS = 1_000

/**
 * Limits how often a pool connects to a server that does not accept connections. A pool tries once for each caller, and
 * the job queue asks for each kind of job every second: while the server is down that would be a storm of attempts.
 * After a few failures one attempt is made at a time, with growing pauses; other callers fail at once.
 */
export class ConnectionGate {
  #failures = 0
  #trying = false
  #closedUntil = 0
  #pauseMs = FIRST_PAUSE_MS
  readonly #now: () => number

  /** `now` gives milliseconds; tests pass their own. */
  constructor(now = () => performance.now()) {
    this.#now = now
  }

  /** Runs `connect`. Throws `database_unavailable` without trying while the gate is closed. */
  async pass<T>(connect: () => Promise<T>): Promise<T> {
    const closed = this.#failures >= FREE_FAILURES
    if (closed && (this.#trying || this.#now() < this.#closedUntil)) throw databaseDown()
    if (closed) this.#trying = true
    try {
      const connected = await connect()
      this.open()
      return connected
    } catch (error) {
      this.#fail(this.#now())
      throw error
    } finally {
      if (closed) this.#trying = false
    }
  }

  /** Says that the server accepts connections again. */
  open(): void {
    this.#failures = 0
    this.#closedUntil = 0
    this.#pauseMs = FIRST_PAUSE_MS
  }

  /** Attempts that were under way when the gate closed do not make its pause longer. */
  #fail(now: number): void {
    this.#failures++
    if (this.#failures < FREE_FAILURES || now < this.#closedUntil) return
    this.#closedUntil = now + this.#pauseMs
    this.#pauseMs = Math.min(this.#pauseMs * 2, LAST_PAUSE_MS)
  }
}

type Connected = (error: Error | null, client?: pg.Client) => void

/** The driver's pool, with a gate before its new connections. Lost idle connections are logged. */
export function gatedPool({ Client = pg.Client, ...options }: pg.PoolConfig, gate: ConnectionGate, log: Log): pg.Pool {
  class GatedClient extends (Client as typeof pg.Client) {
    override connect(): Promise<pg.Client>
    override connect(done: Connected): void
    override connect(done?: Connected): Promise<pg.Client> | undefined {
      const connected = gate.pass(() => super.connect())
      if (!done) return connected
      connected.then(client => done(null, client), done)
      return undefined
    }
  }
  const pool = new pg.Pool({ ...options, Client: GatedClient })
  pool.on('error', error => log.warn({ reason: error.message }, 'idle database connection lost'))
  pool.on('connect', client => client.on('error', () => {}))
  return pool
}
