import { type Column, type SQL, type SQLWrapper, sql } from 'drizzle-orm'

/** The condition of a write under `If-Match`: null lets any version pass. */
export const versionMatches = (version: Column, ifMatch: SQLWrapper): SQL =>
  sql`(${ifMatch}::int[] is null or ${version} = any(${ifMatch}::int[]))`

/** What every update sets besides its own columns. */
export const touched = (table: { version: Column }) => ({
  version: sql`${table.version} + 1`,
  updatedAt: sql`now()`,
})
