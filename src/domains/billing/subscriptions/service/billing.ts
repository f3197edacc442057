import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../../database/client.ts'
import type { Caller } from '../../../../events/caller.ts'
import { orNotFound } from '../../../../lib/errors.ts'
import { findOrganization } from '../../../organizations/queries/organizations.ts'
import type { InvoiceRow } from '../../invoices/queries/invoices.ts'
import type { NewInvoiceLine } from '../../invoices/schemas.ts'
import { createIssuedInvoice } from '../../invoices/service/invoices.ts'
import { totalsOf } from '../../invoices/service/totals.ts'
import { beginInvoicePayment } from '../../payments/service/payments.ts'
import { insertSubscriptionInvoice, type SubscriptionRow, saveSubscription } from '../queries.ts'

export type App = Pick<FastifyInstance, 'jobs' | 'payments'>

/** A subscription that is locked, with its lines as they are. */
export type Locked = Omit<SubscriptionRow, 'carriedLines'> & { carriedLines: NewInvoiceLine[] }

export const lockedOf = (row: SubscriptionRow): Locked => ({
  ...row,
  carriedLines: row.carriedLines as NewInvoiceLine[],
})

export const save = async (tx: Transaction, { carriedLines, ...state }: Locked): Promise<SubscriptionRow> =>
  orNotFound(await saveSubscription(tx, { ...state, carriedLines: JSON.stringify(carriedLines) }))

/** Has an invoice charged, where there is something to charge it to; without, it counts as a charge that has failed. */
export async function charge(
  app: App,
  tx: Transaction,
  caller: Caller,
  { paymentMethod }: Pick<Locked, 'paymentMethod'>,
  invoiceId: string,
): Promise<void> {
  const method = paymentMethod ?? app.payments.usualMethod
  if (method !== undefined && app.payments.takes(method))
    await beginInvoicePayment(app, tx, caller, invoiceId, method, null)
}

interface Bill {
  startsAt: string
  currency: string
  lines: readonly NewInvoiceLine[]
  isPeriod: boolean
}

type Payer = Pick<Locked, 'id' | 'organizationId' | 'customerEmail' | 'paymentMethod'>

/** Makes and issues an invoice for the organization of a subscription. Throws `amount_out_of_range`. */
export async function invoiceFor(
  tx: Transaction,
  caller: Caller,
  { organizationId, customerEmail }: Payer,
  { currency, lines }: Pick<Bill, 'currency' | 'lines'>,
): Promise<InvoiceRow> {
  const { name: customerName } = orNotFound(await findOrganization(tx, { id: organizationId, userId: null }))
  const customer = { customerName, customerEmail, customerAddress: null }
  return createIssuedInvoice(tx, caller, organizationId, { ...customer, currency, lines, dueDays: 0 })
}

/** Keeps an invoice with its subscription and has it charged. */
export async function collect(
  app: App,
  tx: Transaction,
  caller: Caller,
  subscription: Payer,
  { id: invoiceId, status }: InvoiceRow,
  { startsAt, isPeriod }: Pick<Bill, 'startsAt' | 'isPeriod'>,
): Promise<void> {
  const { id: subscriptionId, organizationId } = subscription
  await insertSubscriptionInvoice(tx, { organizationId, subscriptionId, startsAt, invoiceId, isPeriod })
  if (status === 'open') await charge(app, tx, caller, subscription, invoiceId)
}

/**
 * Invoices and charges what is carried along and the lines; returns the subscription with what follows from it. What
 * adds up to less than nothing is carried on to the next invoice. Throws `amount_out_of_range`.
 */
export async function bill(
  app: App,
  tx: Transaction,
  caller: Caller,
  subscription: Locked,
  given: Bill,
): Promise<Locked> {
  const lines = [...subscription.carriedLines, ...given.lines]
  if (totalsOf(lines).totalCents < 0) return { ...subscription, carriedLines: lines }
  const invoice = await invoiceFor(tx, caller, subscription, { ...given, lines })
  await collect(app, tx, caller, subscription, invoice, given)
  return { ...subscription, carriedLines: [], latestInvoiceId: invoice.id }
}
