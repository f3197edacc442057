import { type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { bigint, customType, integer, uuid } from 'drizzle-orm/pg-core'

/** A time with milliseconds, the precision of the API. The driver's parser returns it as ISO 8601 text with `Z`. */
export const isoTimestamp = customType<{ data: string; driverData: string }>({
  dataType: () => 'timestamp(3) with time zone',
})

/** An unsigned 64-bit integer, read as text: a JavaScript number could lose digits. */
export const xid8 = customType<{ data: string; driverData: string }>({ dataType: () => 'xid8' })

export const bytes = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })

/** A UUIDv7 that the application generates. */
export const id = () => uuid().primaryKey()

/** Money in minor units. The driver refuses values past 2^53. */
export const cents = () => bigint({ mode: 'number' })

/** The number of changes of a row, used as its ETag. */
export const version = () => integer().notNull().default(1)

export const timestamps = () => ({
  createdAt: isoTimestamp().notNull().default(sql`now()`),
  updatedAt: isoTimestamp().notNull().default(sql`now()`),
})

/**
 * Returns `text` in upper case for comparing without case. It uses ICU, so the result is the same for any locale of the
 * database: `lower` of the locale C knows ASCII only. `upper` makes Σ, σ and ς equal, and ß equal to SS; `lower` before
 * it is needed for ẞ and İ, and the dot of İ is removed, so that İ, I and i are equal.
 */
export const folded = (text: SQLWrapper): SQL =>
  sql`upper(replace(lower(${text} collate "und-x-icu"), U&'i\\0307', 'i'))`
