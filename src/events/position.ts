import { sql } from 'drizzle-orm'
import { eventEpoch } from './tables.ts'

/**
 * The position that no event has yet below which none can still appear, as an expression that is evaluated once for a
 * statement: what commits later began after the oldest transaction that is still running, or belongs to a later epoch.
 */
export const settledEnd = sql`(select (epoch.base + pg_snapshot_xmin(pg_current_snapshot())::text::bigint)::text::xid8
  from ${eventEpoch} epoch where epoch.id = 1)`
