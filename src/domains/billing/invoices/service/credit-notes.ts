import type { Transaction } from '../../../../database/client.ts'
import { type Caller, userIdOf } from '../../../../events/caller.ts'
import { record } from '../../../../events/record.ts'
import { type AppError, orNotFound } from '../../../../lib/errors.ts'
import { newId } from '../../../../lib/ids.ts'
import { invoiceErrors } from '../errors.ts'
import { creditNoteEvents, invoiceEvents } from '../events.ts'
import { insertCreditNote } from '../queries/credit-notes.ts'
import { creditInvoiceRow, lockInvoice } from '../queries/invoices.ts'
import type { CreateCreditNote } from '../schemas.ts'
import { notPayable } from './invoices.ts'
import { totalsOf } from './totals.ts'

/**
 * Throws `invoice_not_issued`, `invoice_not_open`, `invoice_being_paid`, `credit_too_large`, `credit_of_nothing`,
 * `amount_out_of_range`.
 */
export const createCreditNote = (caller: Caller, invoiceId: string, { reason, lines: given }: CreateCreditNote) =>
  caller.transaction(async tx => {
    const { lines, taxes, ...totals } = totalsOf(given)
    if (totals.totalCents === 0) throw invoiceErrors.credit_of_nothing()
    const before = orNotFound(await lockInvoice(tx, { id: invoiceId }))
    const invoice = await creditInvoiceRow(tx, { id: invoiceId, amountCents: totals.totalCents })
    if (!invoice) throw await refusal(tx, before)
    const { organizationId, currency } = invoice
    const content = { ...totals, currency, reason, lines: JSON.stringify(lines), taxes: JSON.stringify(taxes) }
    const row = { ...content, id: newId(), organizationId, invoiceId, createdBy: userIdOf(caller) }
    const note = orNotFound(await insertCreditNote(tx, row))
    await record(tx, caller, creditNoteEvents.created, note)
    if (invoice.status === 'void') await record(tx, caller, invoiceEvents.voided, invoice)
    return note
  })

type Before = NonNullable<Awaited<ReturnType<typeof lockInvoice>>>

async function refusal(
  tx: Transaction,
  { id, status, paymentId, totalCents, creditedCents }: Before,
): Promise<AppError> {
  if (status === 'draft') return invoiceErrors.invoice_not_issued()
  if (status === 'void' || (status !== 'paid' && paymentId !== null)) return notPayable(tx, id, null)
  return invoiceErrors.credit_too_large({ detail: `${totalCents - creditedCents} minor units are left.` })
}
