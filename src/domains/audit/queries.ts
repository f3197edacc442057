import type { TObject } from '@sinclair/typebox'
import { type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import type { ListDefinition } from '../../database/list/page.ts'
import { cursorsOf, defineList } from '../../database/list.ts'
import { one, type Params, statement } from '../../database/statement.ts'
import { settledEnd } from '../../events/position.ts'
import { events } from '../../events/tables.ts'
import { type AllEventFilters, AuditEvent, Event, type EventFilters } from './schemas.ts'

/** Behind which event of a feed to read on: the position of its transaction, and its number within. */
export interface Place {
  position: string
  seq: number
}

const columns = sql`id, position, seq, type, organization_id, json_build_object('type', actor_type, 'id', actor_id) as actor,
  json_build_object('type', target_type, 'id', target_id) as target, data, created_at`
const withOrigin = sql`${columns}, address, user_agent, request_id`

const log = {
  from: sql`${events}`,
  id: { on: events.seq, key: 'seq', type: 'bigint' },
  sorts: { createdAt: { on: events.position, key: 'position', type: 'xid8' } },
} as const

/** How far the clock that made an id, the time of the event and the start of its transaction may lie apart. */
const SLACK = sql.raw(`interval '5 minutes'`)

const LAST = sql.raw(`'${2n ** 63n - 1n}'`)

/** The least UUIDv7 of a moment (RFC 9562 §5.7). */
const firstId = (moment: SQL): SQL =>
  sql`(lpad(to_hex(greatest(0, extract(epoch from ${moment}) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid`

/**
 * The log is ordered by position, so a time is first translated to one: that of the last event well before it. Without it a
 * search for the last hour reads the whole log when it finds less than a page.
 */
const since = (moment: SQLWrapper): SQL => sql`(${events.createdAt} >= ${moment} and ${events.position} >= coalesce((
  select e.position from ${events} e where e.id < ${firstId(sql`${moment}::timestamptz - ${SLACK}`)} order by e.id desc limit 1), '0'))`

const until = (moment: SQLWrapper): SQL => sql`(${events.createdAt} < ${moment} and ${events.position} <= coalesce((
  select e.position from ${events} e where e.id >= ${firstId(sql`${moment}::timestamptz + ${SLACK}`)} order by e.id limit 1),
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

/** Nothing can still appear before what this shows, so that a cursor never skips. */
const settled = sql`${events.position} < ${settledEnd}`

const feed: ListDefinition<Event, { organizationId: string }, { type?: string }> = {
  ...log,
  name: 'events.feed',
  item: Event,
  columns,
  where: $ => sql`${events.organizationId} = ${$.organizationId} and ${settled}`,
  defaultSort: 'createdAt',
  filters: { type: $ => sql`${events.type} = ${$.type}` },
  feed: true,
}

/** Oldest first and only what is settled. */
export const readFeed = defineList<Event, { organizationId: string }, { type?: string }>(feed)

/** The feed's own cursors: a stream is the feed, read on by itself. */
export function feedCursors(organizationId: string) {
  const { positionOf, cursorOf } = cursorsOf(feed, { organizationId })
  return {
    placeOf(cursor: string): Place {
      const [position, seq] = positionOf(cursor)
      return { position: position as string, seq: seq as number }
    },
    cursorOf: ({ position, seq }: Place): string => cursorOf([position, seq]),
  }
}

/** Where the feed of every organization ends at this moment: what commits from now on comes after it. */
export const findFeedEnd = one(statement('events.end', () => sql<Place>`select ${settledEnd} as position, 0 as seq`))

const place = sql`(${events.organizationId}, ${events.position}, ${events.seq})`

/**
 * The next `rows` of each of many places in feeds, `[{ n, organizationId, position, seq }]` as JSON. Each is one range of one index, and
 * is written so that no other will do: where the planner takes the organization for most of the log, it reads the whole log
 * of all others to find that a quiet one has nothing new.
 */
export const listAfter = statement(
  'events.after',
  (_, $: Params<{ places: string; rows: number }>) => sql<Event & Place & { n: number }>`
    select asked.n, page.* from json_to_recordset(${$.places}::json) as asked(n int, "organizationId" uuid, position xid8, seq bigint)
    cross join lateral (
      select ${columns} from ${events}
      where ${place} > (asked."organizationId", asked.position, asked.seq)
        and (${events.organizationId}, ${events.position}) < (asked."organizationId", ${settledEnd})
      order by ${events.organizationId}, ${events.position}, ${events.seq} limit ${$.rows}) page`,
)
