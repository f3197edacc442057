import { defineEvents } from '../../events/registry.ts'
import { DeliveryReference } from './schemas/deliveries.ts'
import { Webhook } from './schemas/webhooks.ts'

/** None contains a secret. */
export const webhookEvents = defineEvents('webhook', {
  created: Webhook,
  updated: Webhook,
  secret_rotated: Webhook,
  /** By the service itself: the endpoint answered 410, or a delivery failed to the last attempt. */
  disabled: Webhook,
  /** A test, which is sent only to the endpoint itself. */
  tested: Webhook,
  recovered: Webhook,
  deleted: Webhook,
})

export const deliveryEvents = defineEvents('delivery', { resent: DeliveryReference })
