import type pg from 'pg'
import { fromDatabase } from './errors.ts'
import { type Query, StatementQuery } from './fast-path/query.ts'

/** What a statement runs on: the database, where it is its own transaction, or an open transaction. */
export interface Executor {
  run<Result>(query: Query<Result>): Promise<Result[]>
}

/** Sends one query over `client`. What has an answer in the contract is thrown as that answer. */
export function send<Result>(client: pg.ClientBase, query: Query<Result>): Promise<Result[]> {
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
