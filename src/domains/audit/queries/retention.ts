import { sql } from 'drizzle-orm'
import { batchOf, deletionOf } from '../../../database/batches.ts'
import { one, type Params, statement } from '../../../database/statement.ts'
import { settledEnd } from '../../../events/position.ts'
import { eventCursors, eventHorizon, events } from '../../../events/tables.ts'
import type { Place } from './events.ts'

const place = sql`(position, seq)`

/**
 * Moves the horizon over up to `limit` events in their order, as long as they are older than `days` days and every
 * subscriber of the relay has got them. Returns the new horizon, or undefined where it did not move.
 */
export const moveHorizon = one(
  statement(
    'events.horizon.move',
    (_, $: Params<{ days: number; limit: number }>) => sql<Place>`
      with next as materialized (
        select position, seq, created_at < now() - make_interval(days => ${$.days}::int) as old from ${events}
        where ${place} > (
          coalesce((select position from ${eventHorizon}), '0'::xid8),
          coalesce((select seq from ${eventHorizon}), 0)
        ) and position < ${settledEnd}
        order by position, seq limit ${$.limit}::int
      )
      insert into ${eventHorizon} (position, seq)
      select position, seq from next
      where old
        and not exists (select from next younger where not younger.old and (younger.position, younger.seq) < (next.position, next.seq))
        and not exists (select from ${eventCursors} unread where (unread.position, unread.seq) < (next.position, next.seq))
      order by position desc, seq desc limit 1
      on conflict (id) do update set position = excluded.position, seq = excluded.seq
      returning position, seq`,
  ),
)

/** Deletes events at or before a place. A trigger refuses those after the horizon. */
export const deleteEvents = batchOf(
  statement('events.delete', (_, $: Params<Place>) =>
    deletionOf(events, sql`${place} <= (${$.position}::xid8, ${$.seq}::bigint)`),
  ),
)

/** Returns the horizon if it lies after the place, so that events after the place may be gone. */
export const findHorizonAfter = one(
  statement(
    'events.horizon.after',
    (_, $: Params<Place>) =>
      sql<Place>`select position, seq from ${eventHorizon} where ${place} > (${$.position}::xid8, ${$.seq}::bigint)`,
  ),
)
