import { type SQL, type SQLWrapper, sql } from 'drizzle-orm'

/** Whether `column` contains `part`, whatever the case; `%` and `_` are ordinary characters. */
export const contains = (column: SQLWrapper, part: SQLWrapper): SQL =>
  sql`strpos(lower(${column}), lower(${part}::text)) > 0`
