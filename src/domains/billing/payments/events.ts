import { defineEvents } from '../../../events/registry.ts'
import { Payment, Refund } from './schemas.ts'

export const paymentEvents = defineEvents('payment', {
  created: Payment,
  requires_action: Payment,
  succeeded: Payment,
  failed: Payment,
})
export const refundEvents = defineEvents('refund', { created: Refund, succeeded: Refund, failed: Refund })
