import { type SQL, sql } from 'drizzle-orm'
import type { Transaction } from '../database/client.ts'
import { type Params, statement } from '../database/statement.ts'
import { newId } from '../lib/ids.ts'
import type { Caller } from './caller.ts'
import type { EventType } from './registry.ts'
import { events } from './tables.ts'

/** Announced in this process when events are committed: their target and the ids of its rows. */
export const RECORDED = 'events.recorded'

/**
 * A new event as the statement reads it: one element of a JSON array, which is cheaper than an array for each column.
 */
export interface NewEvent {
  eventId: string
  type: string
  organizationId: string | null
  actorType: string
  actorId: string | null
  targetType: string
  targetId: string
  address: string | null
  userAgent: string | null
  requestId: string | null
  /** Left out where there is none: most events have none. */
  traceparent?: string
}

interface Change {
  caller: Caller
  type: EventType<never>
  targetId: string
  organizationId: string | null
}

export const newEvent = ({ caller, type, targetId, organizationId }: Change): NewEvent => ({
  eventId: newId(),
  type: type.name,
  organizationId,
  actorType: caller.actor.type,
  actorId: caller.actor.id,
  targetType: type.target,
  targetId,
  address: caller.address,
  userAgent: caller.userAgent,
  requestId: caller.requestId,
  ...(caller.traceparent === null ? {} : { traceparent: caller.traceparent }),
})

/** The columns of `NewEvent` and its data, for `jsonb_to_recordset`. */
export const eventColumns = sql.raw(
  `"eventId" uuid, "type" text, "organizationId" uuid, "actorType" text, "actorId" uuid, "targetType" text, "targetId" uuid,
   "address" text, "userAgent" text, "requestId" text, "traceparent" text, "data" jsonb`,
)

/**
 * The only way to insert events: `insert into events …` from the records in `from e`, as a statement or as a CTE of the
 * write. When only the statement knows the organization, it is passed as `organizationId` and added to the data.
 */
export const insertEvents = (from: SQL, organizationId?: SQL): SQL => sql`
  insert into ${events} (id, type, organization_id, actor_type, actor_id, target_type, target_id, data, address, user_agent, request_id, traceparent)
  select e."eventId", e.type, ${organizationId ?? sql.raw('e."organizationId"')}, e."actorType", e."actorId", e."targetType", e."targetId",
    ${organizationId ? sql`e.data || jsonb_build_object('organizationId', ${organizationId})` : sql`e.data`},
    e.address, e."userAgent", e."requestId", e.traceparent
  from ${from}`

const insert = statement('events.insert', (_, $: Params<{ events: string }>) =>
  insertEvents(sql`jsonb_to_recordset(${$.events}::jsonb) as e(${eventColumns})`),
)

/** Returns `fields` with the property `data`, which is already JSON text. */
export const withData = (fields: object, data: string): string =>
  `${JSON.stringify(fields).slice(0, -1)},"data":${data}}`

interface Target {
  id: string
  organizationId?: string | null
}

/** Records that `caller` changed each of `targets`, in the transaction of the change. Returns the ids of the events. */
export async function record<Data extends Target>(
  tx: Transaction,
  caller: Caller,
  type: EventType<Data>,
  ...targets: Data[]
): Promise<string[]> {
  const ids: string[] = []
  const rows = targets.map(target => {
    const { id: targetId, organizationId = null } = target
    const event = newEvent({ caller, type: type as EventType<never>, targetId, organizationId })
    ids.push(event.eventId)
    return withData(event, type.serialize(target))
  })
  await insert(tx, { events: `[${rows.join(',')}]` })
  tx.announce(RECORDED, [type.target, ...targets.map(({ id }) => id)])
  return ids
}
