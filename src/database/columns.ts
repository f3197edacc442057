import { type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { bigint, customType, integer, uuid } from 'drizzle-orm/pg-core'

/** Milliseconds, the precision of the contract; read as ISO 8601 text with `Z` (the driver's parser sees to that). */
export const isoTimestamp = customType<{ data: string; driverData: string }>({
  dataType: () => 'timestamp(3) with time zone',
})

/** 64 bits without a sign, read as text: the driver makes no number of them that could lose digits. */
export const xid8 = customType<{ data: string; driverData: string }>({ dataType: () => 'xid8' })

export const bytes = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })

/** A UUIDv7 made by the application. */
export const id = () => uuid().primaryKey()

/** Money in minor units; the driver refuses what lies past 2^53. */
export const cents = () => bigint({ mode: 'number' })

/** Counts the changes of a row; its ETag. */
export const version = () => integer().notNull().default(1)

export const timestamps = () => ({
  createdAt: isoTimestamp().notNull().default(sql`now()`),
  updatedAt: isoTimestamp().notNull().default(sql`now()`),
})

/**
 * Text without its case, by ICU and so alike whatever locale the database has: `lower` of the locale C knows ASCII only.
 * `upper` makes one of Σ, σ and ς, and SS of ß; `lower` before it brings ẞ and İ along, and İ loses the dot that would part it
 * from I and i.
 */
export const folded = (text: SQLWrapper): SQL =>
  sql`upper(replace(lower(${text} collate "und-x-icu"), U&'i\\0307', 'i'))`
