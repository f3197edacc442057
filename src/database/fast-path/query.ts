import pg from 'pg'
import { fromDatabase, UnreadableRows } from '../errors.ts'
import type { Field, Query, Rows } from '../query.ts'
import type { WireClient, WireRow } from './wire.ts'

/** The part of the driver's wire protocol that a prepared statement needs. */
interface Connection {
  bind(message: object): void
  execute(message: object): void
  sync(): void
}
/** What the driver's query has beyond its published types; pg is pinned to the version this was read in. */
interface DriverQuery {
  name: string
  values: unknown[]
  /** The driver wraps it to stop the clock of the query: whoever answers, answers through it. */
  callback: (error: Error | null) => void
  submit(connection: pg.Connection): void
  hasBeenParsed(connection: Connection): boolean
  prepare(connection: Connection): void
}
const { Query: BaseQuery, utils } = pg as unknown as {
  Query: new (text: string, values: unknown[], callback: DriverQuery['callback']) => DriverQuery
  utils: { prepareValue(value: unknown): unknown }
}

/**
 * The driver's query, whose rows are read by a plan that outlives it. The driver's own builds a result with its parsers
 * anew for each execution and emits every row: a tenth of the cost of a read by id.
 */
export class StatementQuery<Result> extends BaseQuery {
  readonly #rows: Rows<Result>
  #failure: Error | undefined

  /**
   * The driver is given the callback: set afterwards, V8 keeps the rows of every query until the next full collection.
   * Throws when a value has no form on the wire: the driver finds that out only when the statement is half sent, and closes it
   * for whoever comes next.
   */
  constructor({ name, text, values, rows }: Query<Result>, done: (error: Error | null) => void) {
    super(
      text,
      values.map(value => utils.prepareValue(value)),
      done,
    )
    this.name = name
    this.#rows = rows
  }

  /** Once the columns are known they need no description; the first time on a connection the driver sends everything. */
  override prepare(connection: Connection): void {
    if (this.#rows.plan.described && this.hasBeenParsed(connection)) {
      connection.bind({ statement: this.name, values: this.values })
      connection.execute({})
      connection.sync()
    } else super.prepare(connection)
  }

  handleRowDescription({ fields }: { fields: Field[] }): void {
    try {
      this.#rows.plan.describe(fields)
    } catch (error) {
      this.#failure = error as Error
    }
  }

  handleDataRow(row: WireRow): void {
    if (this.#failure) return
    try {
      this.#rows.add(row)
    } catch (error) {
      this.#failure = error as Error
    }
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.callback(this.#failure ? new UnreadableRows(this.name, this.#failure) : null)
  }
}

export function sendStatement<Result>(client: WireClient, query: Query<Result>): Promise<Result[]> {
  const { rows } = query
  return new Promise((resolve, reject) => {
    client.query(
      new StatementQuery(query, error => {
        if (error) reject(fromDatabase(error) ?? error)
        else resolve(rows.end())
      }),
    )
  })
}
