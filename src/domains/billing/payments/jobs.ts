import type { FastifyInstance } from 'fastify'
import { defineJob } from '../../../jobs/define.ts'
import { applyStripeEvent, findOpenOf, findOpenPayments, findOpenRefunds } from './queries.ts'
import { reconcilePayments } from './service/reconciliation.ts'
import { chargePayment, payRefund } from './service/settlement.ts'

export const charge = defineJob<{ paymentId: string }>('payments.charge')
export const refund = defineJob<{ refundId: string }>('payments.refund')
export const stripeEvent = defineJob<{ eventId: string }>('payments.stripe_event')
const settleOpen = defineJob<Record<string, never>>('payments.settle_open')
/** The provider is asked for each payment of three days. */
const RECONCILE_SECONDS = 3_600
const reconcile = defineJob<Record<string, never>>('payments.reconcile', { expireSeconds: RECONCILE_SECONDS })
/** After the ledger. */
const DAILY = '53 2 * * *'
const EVERY_MINUTE = '* * * * *'

export function registerPaymentJobs(app: FastifyInstance): void {
  const { jobs } = app
  // Outside a transaction: the provider may take seconds, and what it did is not undone by a rollback.
  jobs.handleOutside(charge, ({ paymentId }) => chargePayment(app, paymentId))
  jobs.handleOutside(refund, ({ refundId }) => payRefund(app, refundId))
  // An event says only that something may have happened: the provider is asked what, so neither order nor repetition counts.
  jobs.handle(stripeEvent, async ({ eventId }, tx) => {
    const { reference } = (await applyStripeEvent(tx, { id: eventId })) ?? {}
    if (!reference) return
    for (const { kind, id } of await findOpenOf(tx, { reference }))
      await (kind === 'payment'
        ? jobs.enqueue(tx, charge, { paymentId: id })
        : jobs.enqueue(tx, refund, { refundId: id }))
  })
  // Whatever became of their jobs, nothing stays open without being asked for.
  jobs.handle(settleOpen, async (_payload, tx) => {
    const { name: provider } = app.payments
    for (const { id } of await findOpenPayments(tx, { provider })) await jobs.enqueue(tx, charge, { paymentId: id })
    for (const { id } of await findOpenRefunds(tx, { provider })) await jobs.enqueue(tx, refund, { refundId: id })
  })
  jobs.schedule(settleOpen, EVERY_MINUTE, {})
  jobs.handleOutside(reconcile, async () => void (await reconcilePayments(app)))
  jobs.schedule(reconcile, DAILY, {})
}
