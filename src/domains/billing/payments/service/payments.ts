import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../../database/client.ts'
import { type Caller, userIdOf } from '../../../../events/caller.ts'
import { record } from '../../../../events/record.ts'
import { invalid, orNotFound } from '../../../../lib/errors.ts'
import { newId } from '../../../../lib/ids.ts'
import { bindInvoice, dueCents } from '../../invoices/service/payment.ts'
import { bindOrder } from '../../orders/service.ts'
import { paymentErrors } from '../errors.ts'
import { paymentEvents, refundEvents } from '../events.ts'
import { charge, refund } from '../jobs.ts'
import { findPayment, insertPayment, insertRefund, reserveRefund } from '../queries.ts'
import type { CreatePayment } from '../schemas.ts'

type App = Pick<FastifyInstance, 'jobs' | 'payments'>

/** Returns what pays. Throws `validation_failed`. */
function methodOf({ payments }: App, given: string | undefined): string {
  const method = given ?? payments.usualMethod
  if (method === undefined) throw invalid('#/paymentMethod', 'is needed: this provider has no default')
  if (!payments.takes(method)) throw invalid('#/paymentMethod', `is no payment method of the ${payments.name}`)
  return method
}

interface NewPayment extends Pick<CreatePayment, 'amountCents' | 'currency'> {
  id: string
  organizationId: string
  orderId: string | null
  invoiceId: string | null
  paymentMethod: string
}

/** Writes a payment and the job that has it charged once this is committed. */
async function begin(app: App, tx: Transaction, caller: Caller, given: NewPayment) {
  const own = { provider: app.payments.name, createdBy: userIdOf(caller) }
  const payment = orNotFound(await insertPayment(tx, { ...given, ...own }))
  await record(tx, caller, paymentEvents.created, payment)
  await app.jobs.enqueue(tx, charge, { paymentId: given.id }, caller.traceparent)
  return payment
}

/** Throws `validation_failed`. */
export const createPayment = (
  app: App,
  caller: Caller,
  organizationId: string,
  { amountCents, currency, paymentMethod }: CreatePayment,
) =>
  caller.transaction(tx => {
    const method = methodOf(app, paymentMethod)
    const given = { id: newId(), organizationId, amountCents, currency, paymentMethod: method }
    return begin(app, tx, caller, { ...given, orderId: null, invoiceId: null })
  })

/**
 * Begins the payment of an order; returns the order. Throws `order_not_pending`, `order_being_paid`,
 * `precondition_failed`, `validation_failed`.
 */
export const payOrder = (
  app: App,
  caller: Caller,
  orderId: string,
  paymentMethod: string | undefined,
  ifMatch: number[] | null,
  id = newId(),
) =>
  caller.transaction(async tx => {
    const method = methodOf(app, paymentMethod)
    const order = await bindOrder(tx, orderId, id, ifMatch)
    const { organizationId, totalCents: amountCents, currency } = order
    const given = { id, organizationId, amountCents, currency, paymentMethod: method }
    await begin(app, tx, caller, { ...given, orderId, invoiceId: null })
    return order
  })

/** Begins the payment of an invoice, in the transaction of the caller. Throws as `payInvoice`. */
export async function beginInvoicePayment(
  app: App,
  tx: Transaction,
  caller: Caller,
  invoiceId: string,
  paymentMethod: string | undefined,
  ifMatch: number[] | null,
) {
  const id = newId()
  const method = methodOf(app, paymentMethod)
  const invoice = await bindInvoice(tx, invoiceId, id, ifMatch)
  const { organizationId, currency } = invoice
  const given = { id, organizationId, amountCents: dueCents(invoice), currency, paymentMethod: method }
  await begin(app, tx, caller, { ...given, orderId: null, invoiceId })
  return invoice
}

/**
 * Begins the payment of what is due of an invoice; returns the invoice. Throws `invoice_not_open`, `invoice_being_paid`,
 * `precondition_failed`, `validation_failed`.
 */
export const payInvoice = (
  app: App,
  caller: Caller,
  invoiceId: string,
  paymentMethod: string | undefined,
  ifMatch: number[] | null,
) => caller.transaction(tx => beginInvoicePayment(app, tx, caller, invoiceId, paymentMethod, ifMatch))

/** Throws `payment_not_refundable`, `refund_too_large`. */
export const createRefund = (app: App, caller: Caller, paymentId: string, given: number | undefined) =>
  caller.transaction(async tx => {
    const reserved = await reserveRefund(tx, { id: paymentId, amountCents: given ?? null })
    if (!reserved) throw await refusal(tx, paymentId)
    const created = orNotFound(await insertRefund(tx, { id: newId(), paymentId, ...reserved }))
    await record(tx, caller, refundEvents.created, created)
    await app.jobs.enqueue(tx, refund, { refundId: created.id }, caller.traceparent)
    return created
  })

async function refusal(tx: Transaction, id: string) {
  const { status, amountCents, refundedCents } = orNotFound(await findPayment(tx, { id }))
  const left = status === 'succeeded' ? amountCents - refundedCents : 0
  if (left === 0) return paymentErrors.payment_not_refundable()
  return paymentErrors.refund_too_large({ detail: `${left} minor units are left.` })
}
