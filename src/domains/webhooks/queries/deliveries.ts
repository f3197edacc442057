import { sql } from 'drizzle-orm'
import { batchOf, deletionOf } from '../../../database/batches.ts'
import { defineList } from '../../../database/list.ts'
import { one, type Params, statement } from '../../../database/statement.ts'
import { firstId } from '../../audit/queries/events.ts'
import { Delivery, type DeliveryFilters } from '../schemas/deliveries.ts'
import { deliveries } from '../tables.ts'

export type DeliveryRow = Delivery & { version: number }

export const deliveryColumns = sql.raw(`id, organization_id, webhook_id, event_id, event_type, state, next_attempt_at,
  attempt_count, attempts, settled_at, version, created_at, updated_at`)

const byId = { on: deliveries.id, key: 'id', type: 'uuid' } as const

export const listDeliveries = defineList<Delivery, { organizationId: string; webhookId: string }, DeliveryFilters>({
  name: 'deliveries.list',
  item: Delivery,
  columns: deliveryColumns,
  from: sql`${deliveries}`,
  // The organization follows from the webhook; it is there for the index.
  where: $ => sql`${deliveries.organizationId} = ${$.organizationId} and ${deliveries.webhookId} = ${$.webhookId}`,
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
  filters: {
    state: $ => sql`${deliveries.state} = ${$.state}`,
    eventType: $ => sql`${deliveries.eventType} = ${$.eventType}`,
    eventId: $ => sql`${deliveries.eventId} = ${$.eventId}`,
  },
})

export const findDelivery = one(
  statement(
    'deliveries.find',
    (_, $: Params<{ id: string }>) => sql<DeliveryRow>`select ${deliveryColumns} from ${deliveries} where id = ${$.id}`,
  ),
)

/** Cancels what is still to be sent to a webhook. */
export const cancelDeliveries = statement(
  'deliveries.cancel',
  (_, $: Params<{ webhookId: string }>) => sql`
    update ${deliveries} set state = 'cancelled', next_attempt_at = null, settled_at = now(), version = version + 1,
      updated_at = now()
    where webhook_id = ${$.webhookId} and state = 'pending'`,
)

/** Deletes settled deliveries that are older than `days` days. */
export const deleteOldDeliveries = batchOf(
  statement('deliveries.delete_old', (_, $: Params<{ days: number }>) =>
    deletionOf(
      deliveries,
      sql`id < ${firstId(sql`now() - make_interval(days => ${$.days}::int)`)} and state <> 'pending'`,
    ),
  ),
)
