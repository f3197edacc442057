import { defineEvents } from '../../../events/registry.ts'
import { Payment, Refund, UnreconciledPayment } from './schemas.ts'

export const paymentEvents = defineEvents('payment', {
  created: Payment,
  requires_action: Payment,
  succeeded: Payment,
  failed: Payment,
  /** Reconciliation has found that the provider's books or the ledger say something else; nothing was changed. */
  unreconciled: UnreconciledPayment,
})
export const refundEvents = defineEvents('refund', { created: Refund, succeeded: Refund, failed: Refund })
