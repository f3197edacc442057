import pg from 'pg'
import { databaseDown, fromDatabase } from './errors.ts'
import type { Log } from './log.ts'
import type { Servers } from './servers.ts'

/** This many attempts in a row may fail before the gate closes: one lost connection alone must refuse nobody. */
const FREE_FAILURES = 3
/** Ten attempts a second for each pool: no storm, and usable again soon after the server is. */
const PAUSE_MS = 100

/**
 * Limits how often a pool connects to a server that does not accept connections. A pool tries once for each caller, and
 * the job queue asks for each kind of job every second: while the server is down that would be a storm of attempts.
 * After a few failures there is a pause after each attempt, in which other callers fail at once.
 */
export class ConnectionGate {
  #failures = 0
  #closedUntil = 0
  readonly #now: () => number

  /** `now` gives milliseconds; tests pass their own. */
  constructor(now = () => performance.now()) {
    this.#now = now
  }

  /**
   * Runs `connect`. Throws `database_unavailable` when it fails, whatever the cause (a wrong password, a certificate that
   * has expired), and without trying while the gate is closed.
   */
  async pass<T>(connect: () => Promise<T>): Promise<T> {
    if (this.#failures >= FREE_FAILURES) {
      if (this.#now() < this.#closedUntil) throw databaseDown()
      this.#closedUntil = this.#now() + PAUSE_MS
    }
    try {
      const connected = await connect()
      this.open()
      return connected
    } catch (error) {
      this.#failures++
      throw fromDatabase(error as Error) ?? databaseDown(error)
    }
  }

  /** Says that the server accepts connections again. */
  open(): void {
    this.#failures = 0
    this.#closedUntil = 0
  }
}

interface Behind {
  servers: Servers
  gate: ConnectionGate
  log: Log
}
type Connected = (error: Error | null, client?: pg.Client) => void

/** The driver's pool, with a gate before its new connections. Lost idle connections are logged. */
export function gatedPool({ Client = pg.Client, ...options }: pg.PoolConfig, { servers, gate, log }: Behind): pg.Pool {
  class GatedClient extends (Client as typeof pg.Client) {
    override connect(): Promise<pg.Client>
    override connect(done: Connected): void
    override connect(done?: Connected): Promise<pg.Client> | undefined {
      const connected = gate.pass(() => this.#connectTo(() => super.connect()))
      if (!done) return connected
      connected.then(client => done(null, client), done)
      return undefined
    }

    /**
     * Listens for errors from the beginning to the end of the session: it may be ended in the moment it begins, before
     * the pool listens, or while a caller has it.
     */
    async #connectTo(connect: () => Promise<pg.Client>): Promise<pg.Client> {
      let loss: Error | undefined
      this.on('error', error => {
        loss = error
      })
      const client = await servers.connect(this, connect)
      if (loss) throw loss
      return client
    }
  }
  const pool = new pg.Pool({ ...options, Client: GatedClient })
  return pool.on('error', error => log.warn({ reason: error.message }, 'idle database connection lost'))
}
