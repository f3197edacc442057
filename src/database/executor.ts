import type pg from 'pg'
import { sendStatement } from './fast-path/query.ts'
import { WireClient } from './fast-path/wire.ts'
import { sendPlainly } from './plain.ts'
import type { Query } from './query.ts'

/** Runs statements: the database itself, where each statement is its own transaction, or an open transaction. */
export interface Executor {
  /** Whether concurrent callers may share one statement. */
  readonly coalesces: boolean
  run<Result>(query: Query<Result>): Promise<Result[]>
}

/**
 * Sends one query over `client` by the method that fits the client. Database errors that the API knows are thrown as
 * `AppError`.
 */
export const send = <Result>(client: pg.ClientBase, query: Query<Result>): Promise<Result[]> =>
  client instanceof WireClient ? sendStatement(client, query) : sendPlainly(client, query)
