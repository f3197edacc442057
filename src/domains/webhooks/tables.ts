import { sql } from 'drizzle-orm'
import { bigint, boolean, index, integer, jsonb, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core'
import { bytes, id, isoTimestamp, timestamps, version, xid8 } from '../../database/columns.ts'
import { organizations } from '../organizations/tables.ts'

export const webhooks = pgTable(
  'webhooks',
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    url: text().notNull(),
    /** Types of events, `task.*` for all of a target, or `*`. */
    eventTypes: text().array().notNull(),
    description: text(),
    enabled: boolean().notNull().default(true),
    disabledAt: isoTimestamp(),
    disabledReason: text(),
    /** The secret encrypted with the keys of `ENCRYPTION_KEYS`, bound to the id of the row. */
    secret: bytes().notNull(),
    /** The secret before the last rotation, which signs too until `previousSecretExpiresAt`. */
    previousSecret: bytes(),
    previousSecretExpiresAt: isoTimestamp(),
    /** Whoever delivers to this endpoint has it until then, and proves it by the token. */
    leaseUntil: isoTimestamp(),
    leaseToken: uuid(),
    /** Failed attempts in a row, over all deliveries, and until when they keep the endpoint from being tried. */
    failureCount: integer().notNull().default(0),
    blockedUntil: isoTimestamp(),
    createdBy: uuid(),
    version: version(),
    ...timestamps(),
  },
  table => [index('webhooks_organization_idx').on(table.organizationId, table.id)],
)

/** The result of one attempt. */
export interface Attempt {
  at: string
  /** Null when there was no answer. */
  status: number | null
  durationMs: number
  /** Why there was no answer; null when there was one. */
  error: string | null
  /** The beginning of the answer's body. */
  answer: string | null
}

/** One event for one endpoint. The event itself is in the log, which may be deleted before. */
export const deliveries = pgTable(
  'deliveries',
  {
    id: id(),
    organizationId: uuid().notNull(),
    webhookId: uuid()
      .notNull()
      .references(() => webhooks.id, { onDelete: 'cascade' }),
    eventId: uuid().notNull(),
    /** The place of the event in the log: deliveries to one endpoint begin in its order. */
    position: xid8().notNull(),
    seq: bigint({ mode: 'number' }).notNull(),
    eventType: text().notNull(),
    state: text().notNull().default('pending'),
    /** Null when it is settled. */
    nextAttemptAt: isoTimestamp().default(sql`now()`),
    /** Attempts of the current schedule; sending again begins a new one. */
    attemptCount: integer().notNull().default(0),
    /** The last attempts, the oldest first. */
    attempts: jsonb().$type<Attempt[]>().notNull().default([]),
    settledAt: isoTimestamp(),
    version: version(),
    ...timestamps(),
  },
  table => [
    unique('deliveries_webhook_event_key').on(table.webhookId, table.eventId),
    index('deliveries_pending_idx')
      .on(table.webhookId, table.nextAttemptAt, table.position, table.seq)
      .where(sql`state = 'pending'`),
    // For the list of one endpoint, and for the deletion of an organization.
    index('deliveries_organization_idx').on(table.organizationId, table.webhookId, table.id),
  ],
)
