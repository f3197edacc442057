import { sql } from 'drizzle-orm'
import { bigint, check, index, jsonb, pgTable, smallint, text, timestamp, uuid } from 'drizzle-orm/pg-core'
import { id, isoTimestamp, xid8 } from '../database/columns.ts'

/** The event log. It is append-only: triggers refuse updates, and deletions after the horizon. */
export const events = pgTable(
  'events',
  {
    id: id(),
    /**
     * The place of the transaction in the log, see `eventEpoch`. Events are read in the order of `position` and `seq`.
     */
    position: xid8().notNull().default(sql`event_position()`),
    seq: bigint({ mode: 'number' }).notNull().generatedAlwaysAsIdentity(),
    type: text().notNull(),
    organizationId: uuid(),
    actorType: text().notNull(),
    actorId: uuid(),
    targetType: text().notNull(),
    targetId: uuid().notNull(),
    data: jsonb().notNull(),
    address: text(),
    userAgent: text(),
    requestId: text(),
    /** W3C trace context of the request, where it had one: it goes on to webhooks. */
    traceparent: text(),
    createdAt: isoTimestamp().notNull().default(sql`now()`),
  },
  table => [
    index('events_order_idx').on(table.position, table.seq),
    index('events_organization_order_idx').on(table.organizationId, table.position, table.seq),
    // The indexes for audit filters: without them such a filter reads all 100,000 events of an organization, in 0.3 s.
    index('events_actor_order_idx').on(table.actorId, table.position, table.seq),
    index('events_target_idx').on(table.targetId),
  ],
)

/** The place up to which each subscriber of the relay has read. */
export const eventCursors = pgTable('event_cursors', {
  subscriber: text().primaryKey(),
  position: xid8().notNull(),
  seq: bigint({ mode: 'number' }).notNull(),
})

/**
 * At most one row: events up to this place may be deleted, so no reader can go on from before it. It only moves forward.
 */
export const eventHorizon = pgTable(
  'event_horizon',
  {
    id: smallint().primaryKey().default(1),
    position: xid8().notNull(),
    seq: bigint({ mode: 'number' }).notNull(),
  },
  table => [check('event_horizon_one_row', sql`${table.id} = 1`)],
)

/**
 * One row. While one PostgreSQL server runs, the position of an event is `base` plus its transaction id.
 * `begin_event_epoch()` sets both columns again for another server or after a restart (docs/decisions/004).
 */
export const eventEpoch = pgTable(
  'event_epoch',
  {
    id: smallint().primaryKey().default(1),
    base: bigint({ mode: 'number' }).notNull(),
    serverStartedAt: timestamp({ withTimezone: true }).notNull(),
    begunAt: isoTimestamp().notNull().default(sql`now()`),
  },
  table => [check('event_epoch_one_row', sql`${table.id} = 1`)],
)
