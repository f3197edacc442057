import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { bySystem } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { findOwners } from '../../organizations/queries/members.ts'
import { webhookEvents } from '../events.ts'
import { sendDisabledMail } from '../jobs.ts'
import { cancelDeliveries } from '../queries/deliveries.ts'
import { disableWebhookRow } from '../queries/webhooks.ts'
import type { DisabledReason } from '../schemas/webhooks.ts'

/**
 * Disables a webhook because of what its endpoint does: what is still to be sent is cancelled, and each owner of the
 * organization gets a mail. Returns whether it was enabled; otherwise nothing happens.
 */
export async function disableWebhook(
  { jobs }: FastifyInstance,
  tx: Transaction,
  id: string,
  reason: Exclude<DisabledReason, 'manual'>,
): Promise<boolean> {
  const webhook = await disableWebhookRow(tx, { id, reason })
  if (!webhook) return false
  await cancelDeliveries(tx, { webhookId: id })
  await record(tx, bySystem(tx), webhookEvents.disabled, webhook)
  for (const { userId } of await findOwners(tx, { organizationId: webhook.organizationId }))
    await jobs.enqueue(tx, sendDisabledMail, { webhookId: id, userId })
  return true
}
