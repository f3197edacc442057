import type { TObject } from '@sinclair/typebox'
import { type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { defineList } from '../../database/list.ts'
import type { Params } from '../../database/statement.ts'
import { events } from '../../events/tables.ts'
import { type AllEventFilters, AuditEvent, Event, type EventFilters } from './schemas.ts'

const columns = sql`id, xid, seq, type, organization_id, json_build_object('type', actor_type, 'id', actor_id) as actor,
  json_build_object('type', target_type, 'id', target_id) as target, data, created_at`
const withOrigin = sql`${columns}, address, user_agent, request_id`

const log = {
  from: sql`${events}`,
  id: { on: events.seq, key: 'seq', type: 'bigint' },
  sorts: { createdAt: { on: events.xid, key: 'xid', type: 'xid8' } },
} as const

/** How far the clock that made an id, the time of the event and the start of its transaction may lie apart. */
const SLACK = sql.raw(`interval '5 minutes'`)

const LAST = sql.raw(`'${2n ** 63n - 1n}'`)

/** The least UUIDv7 of a moment (RFC 9562 §5.7). */
const firstId = (moment: SQL): SQL =>
  sql`(lpad(to_hex(greatest(0, extract(epoch from ${moment}) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid`

/**
 * The log is ordered by transaction, so a time is first translated to one: that of the last event well before it. Without it a
 * search for the last hour reads the whole log when it finds less than a page.
 */
const since = (moment: SQLWrapper): SQL => sql`(${events.createdAt} >= ${moment} and ${events.xid} >= coalesce((
  select e.xid from ${events} e where e.id < ${firstId(sql`${moment}::timestamptz - ${SLACK}`)} order by e.id desc limit 1), '0'))`

const until = (moment: SQLWrapper): SQL => sql`(${events.createdAt} < ${moment} and ${events.xid} <= coalesce((
  select e.xid from ${events} e where e.id >= ${firstId(sql`${moment}::timestamptz + ${SLACK}`)} order by e.id limit 1),
  ${LAST}))`

const filters = {
  type: ($: Params<EventFilters>) => sql`${events.type} = ${$.type}`,
  actorId: ($: Params<EventFilters>) => sql`${events.actorId} = ${$.actorId}`,
  targetId: ($: Params<EventFilters>) => sql`${events.targetId} = ${$.targetId}`,
  since: ($: Params<EventFilters>) => since($.since),
  until: ($: Params<EventFilters>) => until($.until),
}

const newestFirst = <Row extends object>(name: string, item: TObject & { static: Row }, columns: SQL) =>
  defineList<Row, { organizationId: string }, EventFilters>({
    ...log,
    name,
    item,
    columns,
    where: $ => sql`${events.organizationId} = ${$.organizationId}`,
    defaultSort: '-createdAt',
    filters,
  })

export const listEvents = newestFirst('events.list', Event, columns)
export const listAuditEvents = newestFirst('events.audit', AuditEvent, withOrigin)

/** Of all organizations and of none, newest first. */
export const listAllEvents = defineList<AuditEvent, object, AllEventFilters>({
  ...log,
  name: 'events.all',
  item: AuditEvent,
  columns: withOrigin,
  where: () => sql`true`,
  defaultSort: '-createdAt',
  filters: { ...filters, organizationId: $ => sql`${events.organizationId} = ${$.organizationId}` },
})

/** Oldest first and only what no running transaction can still appear before, so that a cursor never skips. */
export const readFeed = defineList<Event, { organizationId: string }, { type?: string }>({
  ...log,
  name: 'events.feed',
  item: Event,
  columns,
  where: $ =>
    sql`${events.organizationId} = ${$.organizationId} and ${events.xid} < pg_snapshot_xmin(pg_current_snapshot())`,
  defaultSort: 'createdAt',
  filters: { type: $ => sql`${events.type} = ${$.type}` },
  feed: true,
})
