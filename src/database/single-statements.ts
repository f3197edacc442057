import type pg from 'pg'
import type { Query } from './query.ts'

/** Connections for statements that are each their own transaction. */
export interface SingleStatements {
  readonly connected: boolean
  /** Rejects when the server refuses the connection. */
  open(): Promise<void>
  read<Result>(query: Query<Result>): Promise<Result[]>
  /** Resolves when the write is committed to disk. */
  write<Result>(query: Query<Result>): Promise<Result[]>
  close(): Promise<void>
}

/** Prepares a new connection before its first use. */
export type Prepare = (client: pg.ClientBase) => Promise<void>
