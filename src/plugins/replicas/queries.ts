import { sql } from 'drizzle-orm'
import { one, type Params, statement } from '../../database/statement.ts'

/** Bytes of the write-ahead log. */
export interface Position {
  position: number
}

/** How far the primary is. */
export const written = one(
  statement(
    'replicas.written',
    (_, _$: Params<object>) => sql<Position>`select (pg_current_wal_lsn() - '0/0')::bigint as position`,
  ),
)

/** How far a replica is. */
export const replayed = one(
  statement(
    'replicas.replayed',
    (_, _$: Params<object>) => sql<Position>`select (pg_last_wal_replay_lsn() - '0/0')::bigint as position`,
  ),
)
