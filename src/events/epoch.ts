import { sql } from 'drizzle-orm'
import type pg from 'pg'
import type { Database } from '../database/client.ts'
import { one, statement } from '../database/statement.ts'

/** How long writes are refused where a server changes and no connection notices: a standby is promoted, a pooler moves on. */
const WATCH_MS = 1_000

/** Whether events can be written and all that are stored be seen; of a standby that is for its primary to say. */
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

interface Log {
  info(details: object, message: string): void
  warn(details: object, message: string): void
}

/** Sees to it that the log has an epoch of the server that this process speaks to. */
export class EpochKeeper {
  readonly #log: Log
  #failing = false
  #watch: NodeJS.Timeout | undefined

  constructor(log: Log) {
    this.#log = log
  }

  /** For a new connection, before it is used. */
  prepare(client: pg.ClientBase): Promise<void> {
    return this.#keep(async () => (await client.query(BEGIN)).rows[0].begun)
  }

  /** For what happens behind connections that stay. */
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

  /** A failure is no end of the connection: all but writing events still works, and readiness says so. */
  async #keep(look: () => Promise<boolean>): Promise<void> {
    try {
      if (await look()) this.#log.info({}, EPOCH_BEGAN)
      this.#failing = false
    } catch (error) {
      if (!this.#failing) this.#log.warn({ reason: (error as Error).message }, NO_EPOCH)
      this.#failing = true
    }
  }
}
