import { sql } from 'drizzle-orm'
import pg from 'pg'
import type { Database } from '../database/client.ts'
import { one, statement } from '../database/statement.ts'

/**
 * The interval of checks for a change of server that no connection notices: a standby is promoted, or a pooler
 * switches. Writes of events are refused until the check.
 */
const WATCH_MS = 1_000

/**
 * Whether events can be written and all stored events can be read; always true on a standby, where the primary decides.
 */
export const findEpochState = one(
  statement(
    'events.epoch.state',
    () => sql<{ isCurrent: boolean }>`select pg_is_in_recovery() or event_epoch_is_current() as is_current`,
  ),
)

const BEGIN = 'select begin_event_epoch() as begun'
const begin = one(statement('events.epoch.begin', () => sql<{ begun: boolean }>`${sql.raw(BEGIN)}`))

export const EPOCH_BEGAN = 'the event log began an epoch: the database server is another one or was restarted'
const NO_EPOCH = 'the event log has no epoch of this database server, will repeat'

/** Whether the connection is the cause: an error that the server reports has an SQLSTATE. */
const isLoss = (error: unknown): boolean => !(error instanceof pg.DatabaseError)

interface Log {
  info(details: object, message: string): void
  warn(details: object, message: string): void
}

/** Makes sure that the event log has an epoch of the connected server. */
export class EpochKeeper {
  readonly #log: Log
  #failing = false
  #watch: NodeJS.Timeout | undefined

  constructor(log: Log) {
    this.#log = log
  }

  /** Checks on a new connection, before it is used. Throws when the connection is lost meanwhile. */
  prepare(client: pg.ClientBase): Promise<void> {
    return this.#keep(async () => (await client.query(BEGIN)).rows[0].begun, isLoss)
  }

  /** Checks repeatedly, for changes of the server behind open connections. */
  watch(database: Database): void {
    const look = async () => (await begin(database.writes, {}))?.begun === true
    let looking = false
    this.#watch = setInterval(async () => {
      if (looking || !database.connected) return
      looking = true
      await this.#keep(look)
      looking = false
    }, WATCH_MS).unref()
  }

  stop(): void {
    clearInterval(this.#watch)
  }

  /**
   * A refusal by the server does not close the connection: everything except writing events still works, and readiness
   * reports it.
   */
  async #keep(look: () => Promise<boolean>, isFatal = (_: unknown) => false): Promise<void> {
    try {
      if (await look()) this.#log.info({}, EPOCH_BEGAN)
      this.#failing = false
    } catch (error) {
      if (isFatal(error)) throw error
      if (!this.#failing) this.#log.warn({ reason: (error as Error).message }, NO_EPOCH)
      this.#failing = true
    }
  }
}
