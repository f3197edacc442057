import { sql } from 'drizzle-orm'
import { type Params, statement } from '../../../database/statement.ts'
import { events } from '../../../events/tables.ts'
import { deliveries } from '../tables.ts'

/** Inserts the delivery of the first event of a target, as if it had been answered. */
export const insertDemoDelivery = statement(
  'deliveries.insert_demo',
  (_, $: Params<{ id: string; webhookId: string; targetId: string }>) => sql`
    insert into ${deliveries} (id, organization_id, webhook_id, event_id, position, seq, event_type, state,
      next_attempt_at, attempt_count, attempts, settled_at)
    select ${$.id}::uuid, e.organization_id, ${$.webhookId}::uuid, e.id, e.position, e.seq, e.type, 'delivered', null, 1,
      jsonb_build_array(jsonb_build_object('at', to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'),
        'status', 200, 'durationMs', 84, 'error', null, 'answer', 'ok')), now()
    from ${events} e where e.target_id = ${$.targetId} order by e.position, e.seq limit 1`,
)
