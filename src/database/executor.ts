import type pg from 'pg'
import { fromDatabase } from './errors.ts'
import { type Row, type RowPlan, StatementQuery } from './query.ts'

/** A named text with its values, and how its rows are read. */
export interface Query {
  name: string
  text: string
  values: unknown[]
  plan: RowPlan
}

/** What a statement runs on: the database, where it is its own transaction, or an open transaction. */
export interface Executor {
  run(query: Query): Promise<Row[]>
}

/** Sends one query over `client`. What has an answer in the contract is thrown as that answer. */
export function send(client: pg.ClientBase, query: Query): Promise<Row[]> {
  return new Promise((resolve, reject) => {
    client.query(
      new StatementQuery(query, (error, rows) => {
        if (error) reject(fromDatabase(error) ?? error)
        else resolve(rows)
      }),
    )
  })
}
