import { type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { folded } from './columns.ts'

/** Whether `column` contains `part`, ignoring case; `%` and `_` are ordinary characters. */
export const contains = (column: SQLWrapper, part: SQLWrapper): SQL =>
  sql`strpos(${folded(column)}, ${folded(sql`${part}::text`)}) > 0`
