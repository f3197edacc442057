import type pg from 'pg'
import { parsers } from './parsers.ts'

/** A named text with its values. */
export interface Query {
  name: string
  text: string
  values: unknown[]
}

/** Rows as arrays, in the order of the selection. */
export interface Rows {
  fields: { name: string }[]
  rows: unknown[][]
}

/** What a statement runs on: the database, where it is its own transaction, or an open transaction. */
export interface Executor {
  run(query: Query): Promise<Rows>
}

/** Sends one query over `client`; a callback spares the promise chain that the driver would build. */
export function send(client: pg.ClientBase, { name, text, values }: Query): Promise<Rows> {
  return new Promise((resolve, reject) => {
    client.query({ name, text, values, rowMode: 'array', types: parsers }, (error: Error | null, rows: Rows) => {
      if (error) reject(error)
      else resolve(rows)
    })
  })
}
