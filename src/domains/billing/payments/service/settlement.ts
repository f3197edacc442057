import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../../database/client.ts'
import { bySystem } from '../../../../events/caller.ts'
import { record } from '../../../../events/record.ts'
import { orNotFound } from '../../../../lib/errors.ts'
import { type Outcome, type PaymentProvider, PaymentRefused } from '../../../../lib/payment-provider.ts'
import { invoicePaid, invoiceReleased } from '../../invoices/service/payment.ts'
import { postPayment, postRefund } from '../../ledger/service/postings.ts'
import { orderPaid, orderRefunded, orderReleased } from '../../orders/service.ts'
import { paymentEvents, refundEvents } from '../events.ts'
import {
  findPayment,
  findRefund,
  findRefunded,
  type PaymentRow,
  returnReservation,
  setReference,
  settlePaymentRow,
  settleRefundRow,
} from '../queries.ts'

type App = Pick<FastifyInstance, 'database' | 'payments'>

/** The provider has not decided yet: the job is to ask again. */
class Undecided extends Error {
  constructor(id: string, status: string) {
    super(`payment ${id} is ${status}`)
  }
}

const isOpen = ({ status }: { status: string }): boolean => status === 'processing' || status === 'requires_action'

/**
 * Has an open payment charged, or asks what became of it; runs outside every transaction. The provider's name of the
 * payment is committed before it is charged, so a crash or a timeout afterwards leads to a question and never to a
 * second charge. A payment of a provider that is not configured any more is left as it is. Throws `Undecided`, so that the
 * job is repeated.
 */
export async function chargePayment(app: App, id: string): Promise<void> {
  const payment = await findPayment(app.database, { id })
  if (!payment || !isOpen(payment) || payment.provider !== app.payments.name) return
  const outcome = await outcomeOf(app, payment)
  await app.database.transaction(tx => applyOutcome(tx, id, outcome))
  if (isOpen(outcome)) throw new Undecided(id, outcome.status)
}

async function outcomeOf({ database, payments }: App, payment: PaymentRow): Promise<Outcome> {
  const { id, reference: known } = payment
  const reference = known ?? (await prepared(payments, payment))
  if (reference instanceof PaymentRefused) return { status: 'failed', failureCode: reference.failureCode }
  if (known === null) await setReference(database.writes, { id, reference })
  const found: Outcome = known === null ? { status: 'prepared' } : await payments.find(reference)
  return found.status === 'prepared' ? payments.confirm(reference, payment) : found
}

const prepared = (payments: PaymentProvider, payment: PaymentRow): Promise<string | PaymentRefused> =>
  payments.prepare(payment).catch(error => {
    if (error instanceof PaymentRefused) return error
    throw error
  })

/**
 * Applies what the provider says, in any order and any number of times: a payment that has succeeded or failed stays
 * so, and its order or invoice and the ledger follow in the same transaction.
 */
export async function applyOutcome(tx: Transaction, id: string, outcome: Outcome): Promise<void> {
  if (outcome.status === 'prepared' || outcome.status === 'processing') return
  const { status } = outcome
  const payment = await settlePaymentRow(tx, {
    id,
    status,
    failureCode: status === 'failed' ? outcome.failureCode : null,
    actionUrl: status === 'requires_action' ? outcome.actionUrl : null,
  })
  if (!payment) return
  const caller = bySystem(tx)
  await record(tx, caller, paymentEvents[status], payment)
  if (status === 'succeeded') await postPayment(tx, caller, { ...payment, feeCents: outcome.feeCents ?? 0 })
  const { orderId, invoiceId } = payment
  if (orderId !== null && status === 'succeeded') await orderPaid(tx, caller, orderId, id)
  if (orderId !== null && status === 'failed') await orderReleased(tx, caller, orderId, id)
  if (invoiceId !== null && status === 'succeeded') await invoicePaid(tx, caller, invoiceId, id)
  if (invoiceId !== null && status === 'failed') await invoiceReleased(tx, invoiceId, id)
}

/**
 * Has an open refund paid, or asks what became of it; runs outside every transaction. It fails for a payment that the
 * provider was never told of. Throws `Undecided`.
 */
export async function payRefund({ database, payments }: App, id: string): Promise<void> {
  const refund = await findRefund(database, { id })
  if (refund?.status !== 'processing' || refund.provider !== payments.name) return
  const { reference } = refund
  const status = reference === null ? 'failed' : await payments.refund({ ...refund, reference })
  if (status === 'processing') throw new Undecided(refund.paymentId, 'being refunded')
  await database.transaction(tx => applyRefund(tx, id, status))
}

/** Applies the end of a refund; one that has ended stays as it is. */
async function applyRefund(tx: Transaction, id: string, status: 'succeeded' | 'failed'): Promise<void> {
  const refund = await settleRefundRow(tx, { id, status })
  if (!refund) return
  const { paymentId, amountCents } = refund
  const caller = bySystem(tx)
  // This locks the payment, so of the last refunds of a payment one is counted after the other.
  await returnReservation(tx, { id: paymentId, amountCents: status === 'failed' ? amountCents : 0 })
  await record(tx, caller, refundEvents[status], refund)
  const { orderId, whole, currency } = orNotFound(await findRefunded(tx, { id: paymentId }))
  if (status === 'succeeded') await postRefund(tx, caller, { ...refund, currency })
  if (orderId !== null && whole) await orderRefunded(tx, caller, orderId, paymentId)
}
