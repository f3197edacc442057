import type { Transaction } from '../../../../database/client.ts'
import type { Caller } from '../../../../events/caller.ts'
import { record } from '../../../../events/record.ts'
import { invoiceEvents } from '../events.ts'
import { claimInvoice, type InvoiceRow, payInvoiceRow, releaseInvoiceRow } from '../queries/invoices.ts'
import { notPayable } from './invoices.ts'

/** What is still to be paid of an invoice, in minor units. */
export const dueCents = ({ totalCents, creditedCents }: InvoiceRow): number => totalCents - creditedCents

/**
 * Binds the invoice to a payment, which is written in the same transaction. Throws `invoice_not_open`,
 * `invoice_being_paid`, `precondition_failed`.
 */
export async function bindInvoice(
  tx: Transaction,
  id: string,
  paymentId: string,
  ifMatch: number[] | null,
): Promise<InvoiceRow> {
  const invoice = await claimInvoice(tx, { id, paymentId, ifMatch })
  if (!invoice) throw await notPayable(tx, id, ifMatch)
  return invoice
}

/** What follows for the invoice from its payment; one that is bound to another payment stays as it is. */
export async function invoicePaid(tx: Transaction, caller: Caller, id: string, paymentId: string): Promise<void> {
  const invoice = await payInvoiceRow(tx, { id, paymentId })
  if (invoice) await record(tx, caller, invoiceEvents.paid, invoice)
}

export async function invoiceReleased(tx: Transaction, id: string, paymentId: string): Promise<void> {
  await releaseInvoiceRow(tx, { id, paymentId })
}
