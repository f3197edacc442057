import { type Column, type SQL, type SQLWrapper, sql } from 'drizzle-orm'

/**
 * The condition of a write under `request.ifMatch`: null accepts any version, a list accepts the versions in it, and a
 * list of negative numbers accepts all but their opposites. `meetsCondition` in lib/errors.ts does the same for a row
 * that was read.
 */
export const versionMatches = (version: Column | SQL, ifMatch: SQLWrapper): SQL =>
  sql`(${ifMatch}::int[] is null or ${version} = any(${ifMatch}::int[])
    or ((${ifMatch}::int[])[1] < 0 and -${version} <> all(${ifMatch}::int[])))`

/** The columns that every update sets besides its own. */
export const touched = (table: { version: Column }) => ({
  version: sql`${table.version} + 1`,
  updatedAt: sql`now()`,
})
