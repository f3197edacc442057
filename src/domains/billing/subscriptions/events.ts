import { defineEvents } from '../../../events/registry.ts'
import { Subscription } from './schemas.ts'

export const subscriptionEvents = defineEvents('subscription', {
  created: Subscription,
  updated: Subscription,
  renewed: Subscription,
  past_due: Subscription,
  recovered: Subscription,
  unpaid: Subscription,
  paused: Subscription,
  resumed: Subscription,
  canceled: Subscription,
})
