import type pg from 'pg'
import { fromDatabase } from './errors.ts'
import { parserOf } from './parsers.ts'
import { camelCase, type Query, type Row } from './query.ts'
import type { SingleStatements } from './single-statements.ts'

const types = { getTypeParser: (oid: number) => parserOf(oid) }

const withCamelCase = (row: Row): Row =>
  Object.fromEntries(Object.entries(row).map(([column, value]) => [camelCase(column), value]))

/** Sends one query through the driver's documented API. Database errors that the API knows are thrown as `AppError`. */
export async function sendPlainly<Result>(on: pg.ClientBase | pg.Pool, query: Query<Result>): Promise<Result[]> {
  const { name, text, values, rows } = query
  try {
    const answer = await on.query<Row>({ name, text, values, types } as pg.QueryConfig)
    return rows.of(answer.rows.map(withCamelCase))
  } catch (error) {
    throw fromDatabase(error as Error) ?? error
  }
}

/** Runs single statements on the driver's pool, which connects and reconnects by itself; used without the fast path. */
export class PlainStatements implements SingleStatements {
  readonly connected = true
  readonly read = <Result>(query: Query<Result>): Promise<Result[]> => sendPlainly(this.#pool, query)
  readonly write = this.read
  readonly #pool: pg.Pool

  constructor(pool: pg.Pool) {
    this.#pool = pool
  }

  async open(): Promise<void> {
    const client = await this.#pool.connect()
    client.release()
  }

  close(): Promise<void> {
    return this.#pool.end()
  }
}
