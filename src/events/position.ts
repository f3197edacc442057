import { sql } from 'drizzle-orm'
import { eventEpoch } from './tables.ts'

/**
 * SQL for the lowest position at which an event can still appear, evaluated once in a statement. A later commit belongs
 * to a transaction that began after the oldest running one, or to a later epoch.
 */
export const settledEnd = sql`(select (epoch.base + pg_snapshot_xmin(pg_current_snapshot())::text::bigint)::text::xid8
  from ${eventEpoch} epoch where epoch.id = 1)`
