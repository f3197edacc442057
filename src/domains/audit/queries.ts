import { sql } from 'drizzle-orm'
import { defineList } from '../../database/list.ts'
import { events } from '../../events/tables.ts'
import type { Event, EventFilters } from './schemas.ts'

type EventRow = Event & { xid: string; seq: number }

const log = {
  columns: sql`id, xid, seq, type, organization_id, json_build_object('type', actor_type, 'id', actor_id) as actor,
    json_build_object('type', target_type, 'id', target_id) as target, data, created_at`,
  from: sql`${events}`,
  id: { on: events.seq, key: 'seq', type: 'bigint' },
  sorts: { createdAt: { on: events.xid, key: 'xid', type: 'xid8' } },
} as const

/** Newest first. */
export const listEvents = defineList<EventRow, { organizationId: string }, EventFilters>({
  ...log,
  name: 'events.list',
  where: $ => sql`${events.organizationId} = ${$.organizationId}`,
  defaultSort: '-createdAt',
  filters: {
    type: $ => sql`${events.type} = ${$.type}`,
    actorId: $ => sql`${events.actorId} = ${$.actorId}`,
    targetId: $ => sql`${events.targetId} = ${$.targetId}`,
    since: $ => sql`${events.createdAt} >= ${$.since}`,
    until: $ => sql`${events.createdAt} < ${$.until}`,
  },
})

/** Oldest first and only what no running transaction can still appear before, so that a cursor never skips. */
export const readFeed = defineList<EventRow, { organizationId: string }, { type?: string }>({
  ...log,
  name: 'events.feed',
  where: $ =>
    sql`${events.organizationId} = ${$.organizationId} and ${events.xid} < pg_snapshot_xmin(pg_current_snapshot())`,
  defaultSort: 'createdAt',
  filters: { type: $ => sql`${events.type} = ${$.type}` },
  feed: true,
})
