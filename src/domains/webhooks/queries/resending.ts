import { sql } from 'drizzle-orm'
import { one, type Params, statement } from '../../../database/statement.ts'
import { settledEnd } from '../../../events/position.ts'
import { events } from '../../../events/tables.ts'
import { since } from '../../audit/queries/events.ts'
import { deliveries, webhooks } from '../tables.ts'
import { type DeliveryRow, deliveryColumns } from './deliveries.ts'
import { wants } from './matching.ts'

/** Inserts the delivery of one event to one webhook, whatever its filter. */
export const insertDelivery = one(
  statement(
    'deliveries.insert',
    (_, $: Params<{ id: string; webhookId: string; eventId: string }>) => sql<DeliveryRow>`
      insert into ${deliveries} (id, organization_id, webhook_id, event_id, position, seq, event_type)
      select ${$.id}::uuid, e.organization_id, ${$.webhookId}::uuid, e.id, e.position, e.seq, e.type
      from ${events} e where e.id = ${$.eventId}
      returning ${deliveryColumns}`,
  ),
)

/** Makes a delivery due again, with all its attempts before it. */
const due = sql`state = 'pending', next_attempt_at = now(), attempt_count = 0, settled_at = null,
  version = ${deliveries.version} + 1, updated_at = now()`

/** Locks the delivery until the commit. */
export const lockDelivery = one(
  statement(
    'deliveries.lock',
    (_, $: Params<{ id: string }>) => sql<{ version: number }>`
      select version from ${deliveries} where id = ${$.id} for no key update`,
  ),
)

/** Returns nothing when the event of the delivery is deleted. */
export const resendDeliveryRow = one(
  statement(
    'deliveries.resend',
    (_, $: Params<{ id: string }>) => sql<DeliveryRow>`
      update ${deliveries} set ${due}
      where id = ${$.id} and exists (select from ${events} e where e.id = event_id)
      returning ${deliveryColumns}`,
  ),
)

interface Recovery {
  webhookId: string
  organizationId: string
  since: string
  /** Ids for deliveries that are missing, as many as may be recovered. */
  ids: string[]
  /** One more than may be recovered, to know whether there are more. */
  limit: number
}

/**
 * Makes the first deliveries pending that failed, were cancelled or do not exist, in the order of the log, for events
 * that the webhook wants. Events that are not settled yet come by the relay.
 */
export const recoverDeliveries = one(
  statement(
    'deliveries.recover',
    (_, $: Params<Recovery>) => sql<{ recovered: number; hasMore: boolean }>`
      with missed as materialized (
        select ${events.id}, ${events.position}, ${events.seq}, ${events.type},
          row_number() over (order by ${events.position}, ${events.seq}) as n
        from ${events}
        join ${webhooks} w on w.id = ${$.webhookId}::uuid
        left join ${deliveries} d on d.webhook_id = w.id and d.event_id = ${events.id}
        where ${events.organizationId} = ${$.organizationId}::uuid and ${since($.since)}
          and ${events.position} < ${settledEnd} and ${wants(sql`w.event_types`, events.type)}
          and (d.id is null or d.state in ('failed', 'cancelled'))
        order by ${events.position}, ${events.seq} limit ${$.limit}::int
      ),
      recovered as (
        insert into ${deliveries} (id, organization_id, webhook_id, event_id, position, seq, event_type)
        select fresh.id, ${$.organizationId}::uuid, ${$.webhookId}::uuid, m.id, m.position, m.seq, m.type
        from missed m join unnest(${$.ids}::uuid[]) with ordinality as fresh(id, n) on fresh.n = m.n
        on conflict on constraint deliveries_webhook_event_key do update set ${due}
        where ${deliveries.state} in ('failed', 'cancelled')
        returning 1
      )
      select (select count(*)::int from recovered) as recovered,
        (select count(*) from missed) = ${$.limit}::int as has_more`,
  ),
)
