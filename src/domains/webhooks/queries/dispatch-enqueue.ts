import { sql } from 'drizzle-orm'
import { type Params, statement } from '../../../database/statement.ts'
import { deliveries, webhooks } from '../tables.ts'
import { wants } from './matching.ts'

const eventColumns = sql.raw(`"id" uuid, "organizationId" uuid, "type" text, "position" text, "seq" bigint`)

interface Match {
  webhookId: string
  organizationId: string
  eventId: string
  eventType: string
  position: string
  seq: number
}

/**
 * Matches events, as JSON, with the endpoints that want them, in the order of events. The endpoints stay until the
 * commit. A test is inserted by its own request.
 */
export const matchEvents = statement(
  'webhooks.dispatch.match',
  (_, $: Params<{ events: string }>) => sql<Match>`
    select w.id as webhook_id, w.organization_id, e.id as event_id, e.type as event_type, e.position, e.seq
    from jsonb_to_recordset(${$.events}::jsonb) as e(${eventColumns})
    join ${webhooks} w on w.organization_id = e."organizationId"
    where w.enabled and ${wants(sql`w.event_types`, sql`e.type`)}
    order by e.position::xid8, e.seq for key share of w`,
)

/**
 * Inserts deliveries from JSON, due at once. All of a batch have the same time, and batches come one after another, so
 * first attempts become due in the order of events.
 */
export const insertDeliveries = statement(
  'webhooks.dispatch.enqueue',
  (_, $: Params<{ deliveries: string }>) => sql<{ id: string }>`
    insert into ${deliveries} (id, organization_id, webhook_id, event_id, position, seq, event_type, state, next_attempt_at)
    select n.id, n."organizationId", n."webhookId", n."eventId", n.position::xid8, n.seq, n."eventType", 'pending',
      (select clock_timestamp())
    from jsonb_to_recordset(${$.deliveries}::jsonb) as n(id uuid, "organizationId" uuid, "webhookId" uuid, "eventId" uuid,
      "eventType" text, position text, seq bigint)
    on conflict do nothing returning id`,
)
