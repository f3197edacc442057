import type pg from 'pg'
import { sendStatement } from './fast-path/query.ts'
import { WireClient } from './fast-path/wire.ts'
import { sendPlainly } from './plain.ts'
import type { Query } from './query.ts'

/** What a statement runs on: the database, where it is its own transaction, or an open transaction. */
export interface Executor {
  /** Whether concurrent callers may share a statement. */
  readonly coalesces: boolean
  run<Result>(query: Query<Result>): Promise<Result[]>
}

/** Sends one query over `client`, in the way of its kind. What has an answer in the contract is thrown as that answer. */
export const send = <Result>(client: pg.ClientBase, query: Query<Result>): Promise<Result[]> =>
  client instanceof WireClient ? sendStatement(client, query) : sendPlainly(client, query)
