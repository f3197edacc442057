import type { TObject } from '@sinclair/typebox'
import { type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import type { ListDefinition } from '../../../database/list/page.ts'
import { cursorsOf, defineList } from '../../../database/list.ts'
import { one, type Params, statement } from '../../../database/statement.ts'
import { settledEnd } from '../../../events/position.ts'
import { events } from '../../../events/tables.ts'
import { type AllEventFilters, AuditEvent, Event, type EventFilters } from '../schemas.ts'

/**
 * A place in the feed: the position of the transaction of an event, and the number of the event within it. Reading
 * continues after it.
 */
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

/** How far the time in an event's id, its `created_at` and the start of its transaction may differ. */
const SLACK = sql.raw(`interval '5 minutes'`)

const LAST = sql.raw(`'${2n ** 63n - 1n}'`)

/** Returns the smallest UUIDv7 of a moment (RFC 9562 §5.7). */
export const firstId = (moment: SQL): SQL =>
  sql`(lpad(to_hex(greatest(0, extract(epoch from ${moment}) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid`

/**
 * The log is ordered by position, so a time is first turned into a position: that of the last event well before it.
 * Otherwise a search for the last hour reads the whole log when it finds less than a page.
 */
export const since = (
  moment: SQLWrapper,
): SQL => sql`(${events.createdAt} >= ${moment} and ${events.position} >= coalesce((
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

/** Lists events of all organizations and of none, newest first. */
export const listAllEvents = defineList<AuditEvent, object, AllEventFilters>({
  ...log,
  name: 'events.all',
  item: AuditEvent,
  columns: withOrigin,
  where: () => sql`true`,
  defaultSort: '-createdAt',
  filters: { ...filters, organizationId: $ => sql`${events.organizationId} = ${$.organizationId}` },
})

/** Events before `settledEnd`: no event can still appear before them, so a cursor never skips one. */
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

/** Lists the events of an organization, oldest first, only settled ones. */
export const readFeed = defineList<Event, { organizationId: string }, { type?: string }>(feed)

/** Converts between places and the cursors of the feed; a stream uses the cursors of the feed without a type. */
export function feedCursors(organizationId: string, filters: { type?: string } = {}) {
  const { positionOf, cursorOf } = cursorsOf(feed, { organizationId, ...filters })
  return {
    placeOf(cursor: string): Place {
      const [position, seq] = positionOf(cursor)
      return { position: position as string, seq: seq as number }
    },
    cursorOf: ({ position, seq }: Place): string => cursorOf([position, seq]),
  }
}

/** Finds the current end of all feeds: events committed from now on come after it. */
export const findFeedEnd = one(statement('events.end', () => sql<Place>`select ${settledEnd} as position, 0 as seq`))

const place = sql`(${events.organizationId}, ${events.position}, ${events.seq})`

type Behind = { organizationId: string; most: number } & Place

/** How many events of the feed follow a place, up to `most`. */
export const countBehind = one(
  statement(
    'events.behind',
    (_, $: Params<Behind>) => sql<{ count: number }>`
      select count(*)::int as count from (
        select from ${events}
        where ${place} > (${$.organizationId}::uuid, ${$.position}::xid8, ${$.seq}::bigint)
          and ${events.organizationId} = ${$.organizationId}::uuid and ${settled}
        order by ${events.organizationId}, ${events.position}, ${events.seq} limit ${$.most}) behind`,
  ),
)

/**
 * Reads the next `rows` events after each of many places, `[{ n, organizationId, position, seq }]` as JSON. The
 * conditions fit only one index range per place: otherwise the planner, when it expects most of the log to belong to
 * one organization, reads the whole log of all others to find that a quiet one has nothing new.
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
