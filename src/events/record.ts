import { type SQL, sql } from 'drizzle-orm'
import type { Transaction } from '../database/client.ts'
import { type Params, statement } from '../database/statement.ts'
import { newId } from '../lib/ids.ts'
import type { Caller } from './caller.ts'
import type { EventType } from './registry.ts'
import { events } from './tables.ts'

/** The columns of a new event, as one array for each: `unnest` makes the rows. */
export interface NewEvents {
  eventIds: string[]
  eventTypes: string[]
  organizationIds: (string | null)[]
  actorTypes: string[]
  actorIds: (string | null)[]
  targetTypes: string[]
  targetIds: string[]
  data: string[]
  addresses: (string | null)[]
  userAgents: (string | null)[]
  requestIds: (string | null)[]
}

interface Change {
  caller: Caller
  type: EventType<never>
  targetId: string
  organizationId: string | null
  data: string
}

export const emptyEvents = (): NewEvents => ({
  eventIds: [],
  eventTypes: [],
  organizationIds: [],
  actorTypes: [],
  actorIds: [],
  targetTypes: [],
  targetIds: [],
  data: [],
  addresses: [],
  userAgents: [],
  requestIds: [],
})

export function addEvent(to: NewEvents, { caller, type, targetId, organizationId, data }: Change): void {
  to.eventIds.push(newId())
  to.eventTypes.push(type.name)
  to.organizationIds.push(organizationId)
  to.actorTypes.push(caller.actor.type)
  to.actorIds.push(caller.actor.id)
  to.targetTypes.push(type.target)
  to.targetIds.push(targetId)
  to.data.push(data)
  to.addresses.push(caller.address)
  to.userAgents.push(caller.userAgent)
  to.requestIds.push(caller.requestId)
}

/** How a statement that writes rows and their events at once ties them together. */
interface Written {
  /** Joins `e.target_id` to the rows that were in fact written. */
  join: SQL
  /** The organization, where only the statement knows it; it becomes part of the data too. */
  organizationId: SQL
}

/** The one way into the log: `insert into events …` of the rows in `$`, by itself or as a CTE of the write. */
export const insertEvents = ($: Params<NewEvents>, written?: Written): SQL => sql`
  insert into ${events} (id, type, organization_id, actor_type, actor_id, target_type, target_id, data, address, user_agent, request_id)
  select e.id, e.type, ${written ? written.organizationId : sql`e.organization_id`}, e.actor_type, e.actor_id, e.target_type, e.target_id,
    ${written ? sql`e.data || jsonb_build_object('organizationId', ${written.organizationId})` : sql`e.data`},
    e.address, e.user_agent, e.request_id
  from unnest(${$.eventIds}::uuid[], ${$.eventTypes}::text[], ${$.organizationIds}::uuid[], ${$.actorTypes}::text[],
    ${$.actorIds}::uuid[], ${$.targetTypes}::text[], ${$.targetIds}::uuid[], ${$.data}::jsonb[], ${$.addresses}::text[],
    ${$.userAgents}::text[], ${$.requestIds}::text[])
    as e(id, type, organization_id, actor_type, actor_id, target_type, target_id, data, address, user_agent, request_id)
  ${written ? written.join : sql``}`

const insert = statement('events.insert', (_, $: Params<NewEvents>) => insertEvents($))

interface Target {
  id: string
  organizationId?: string | null
}

/** Records that `caller` changed each of `targets`, in the transaction of the change. */
export async function record<Data extends Target>(
  tx: Transaction,
  caller: Caller,
  type: EventType<Data>,
  ...targets: Data[]
): Promise<void> {
  const rows = emptyEvents()
  for (const target of targets) {
    addEvent(rows, {
      caller,
      type: type as EventType<never>,
      targetId: target.id,
      organizationId: target.organizationId ?? null,
      data: type.serialize(target),
    })
  }
  await insert(tx, rows)
}
