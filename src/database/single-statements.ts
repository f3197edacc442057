import type pg from 'pg'
import type { Query } from './query.ts'

/** Connections for statements that are their own transaction. */
export interface SingleStatements {
  readonly connected: boolean
  /** Rejects when the server refuses. */
  open(): Promise<void>
  read<Result>(query: Query<Result>): Promise<Result[]>
  /** Answered when the disk has it. */
  write<Result>(query: Query<Result>): Promise<Result[]>
  close(): Promise<void>
}

/** Makes a new connection ready for use. */
export type Prepare = (client: pg.ClientBase) => Promise<void>
