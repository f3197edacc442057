import type { Transaction } from '../../../database/client.ts'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { orNotFound, requireVersion } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { webhookErrors } from '../errors.ts'
import { deliveryEvents, webhookEvents } from '../events.ts'
import { findDelivery } from '../queries/deliveries.ts'
import { insertDelivery, lockDelivery, recoverDeliveries, resendDeliveryRow } from '../queries/resending.ts'
import { holdWebhook } from './webhooks.ts'

/** One call of `recoverWebhook` does at most this many, which takes about as long as any other write. */
export const MAX_RECOVERED = 1_000

/** Locks the webhook until the commit. Throws `not_found`, `precondition_failed`, `webhook_disabled`. */
async function holdEnabled(tx: Transaction, id: string, ifMatch: number[] | null) {
  const webhook = await holdWebhook(tx, id, ifMatch)
  if (!webhook.enabled) throw webhookErrors.webhook_disabled()
  return webhook
}

/** Records a test and returns its delivery, which is pending. Throws as `holdEnabled`. */
export const testWebhook = (caller: Caller, id: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const webhook = await holdEnabled(tx, id, ifMatch)
    const [eventId = ''] = await record(tx, caller, webhookEvents.tested, webhook)
    return orNotFound(await insertDelivery(tx, { id: newId(), webhookId: id, eventId }))
  })

/**
 * Makes pending what the webhook missed since a time; repeating it does nothing that is done already. Throws as
 * `holdEnabled`.
 */
export const recoverWebhook = (caller: Caller, id: string, since: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const webhook = await holdEnabled(tx, id, ifMatch)
    const { organizationId } = webhook
    const ids = Array.from({ length: MAX_RECOVERED }, newId)
    const asked = { webhookId: id, organizationId, since, ids, limit: MAX_RECOVERED + 1 }
    const recovery = orNotFound(await recoverDeliveries(tx, asked))
    await record(tx, caller, webhookEvents.recovered, webhook)
    return recovery
  })

/**
 * Sends the same event again, with the same `webhook-id`, whatever became of it. Throws `not_found`,
 * `precondition_failed`, `webhook_disabled`, `event_expired`.
 */
export const resendDelivery = (caller: Caller, id: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const { webhookId } = orNotFound(await findDelivery(tx, { id }))
    await holdEnabled(tx, webhookId, null)
    requireVersion(orNotFound(await lockDelivery(tx, { id })), ifMatch)
    const delivery = await resendDeliveryRow(tx, { id })
    if (!delivery) throw webhookErrors.event_expired()
    await record(tx, caller, deliveryEvents.resent, delivery)
    return delivery
  })
