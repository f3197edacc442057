import { type SQL, type SQLWrapper, sql } from 'drizzle-orm'

/**
 * The condition that a webhook with these `eventTypes` gets events of `type` by itself. A test is sent only to the
 * webhook that it tests, and when it is asked for.
 */
export const wants = (eventTypes: SQLWrapper, type: SQLWrapper): SQL =>
  sql`(${type} <> 'webhook.tested' and ${eventTypes} && array['*', split_part(${type}, '.', 1) || '.*', ${type}])`
