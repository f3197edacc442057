import type { Transaction } from '../../../../database/client.ts'
import { type Caller, userIdOf } from '../../../../events/caller.ts'
import { record } from '../../../../events/record.ts'
import { type AppError, orNotFound, requireVersion } from '../../../../lib/errors.ts'
import { newId } from '../../../../lib/ids.ts'
import { invoiceErrors } from '../errors.ts'
import { invoiceEvents } from '../events.ts'
import {
  type Content,
  deleteDraftRow,
  findInvoice,
  type InvoiceRow,
  insertInvoice,
  issueDraftRow,
  lockInvoice,
  updateDraftRow,
  voidInvoiceRow,
  writeOffInvoiceRow,
} from '../queries/invoices.ts'
import { type CreateInvoice, DUE_DAYS, type NewInvoiceLine, type UpdateInvoice } from '../schemas.ts'
import { totalsOf } from './totals.ts'

type Draft = Pick<Content, 'customerName' | 'customerEmail' | 'customerAddress' | 'currency' | 'dueDays'> & {
  lines: readonly NewInvoiceLine[]
}

/** Throws `amount_out_of_range`. */
function contentOf({ lines, ...draft }: Draft): Content {
  const totals = totalsOf(lines)
  return { ...draft, ...totals, lines: JSON.stringify(totals.lines), taxes: JSON.stringify(totals.taxes) }
}

/** Throws `amount_out_of_range`. */
async function insertDraft(tx: Transaction, caller: Caller, organizationId: string, draft: Draft, id = newId()) {
  const row = { ...contentOf(draft), id, organizationId, createdBy: userIdOf(caller) }
  const invoice = orNotFound(await insertInvoice(tx, row))
  await record(tx, caller, invoiceEvents.created, invoice)
  return invoice
}

/** Throws `amount_out_of_range`. */
export const createInvoice = (
  caller: Caller,
  organizationId: string,
  { customerAddress = null, dueDays = DUE_DAYS, ...given }: CreateInvoice,
  id = newId(),
) => caller.transaction(tx => insertDraft(tx, caller, organizationId, { ...given, customerAddress, dueDays }, id))

/** Throws `invoice_not_draft`, `precondition_failed`, `amount_out_of_range`. */
export const updateInvoice = (caller: Caller, id: string, given: UpdateInvoice, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const before = orNotFound(await lockInvoice(tx, { id }))
    requireVersion(before, ifMatch)
    if (before.status !== 'draft') throw invoiceErrors.invoice_not_draft()
    const { customerName, customerEmail, customerAddress, currency, lines, dueDays } = { ...before, ...given }
    const content = contentOf({ customerName, customerEmail, customerAddress, currency, lines, dueDays })
    const invoice = orNotFound(await updateDraftRow(tx, { ...content, id }))
    await record(tx, caller, invoiceEvents.updated, invoice)
    return invoice
  })

/** Throws `invoice_not_draft`, `precondition_failed`. */
export const deleteInvoice = (caller: Caller, id: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const invoice = await deleteDraftRow(tx, { id, ifMatch })
    if (!invoice) throw await notDraft(tx, id, ifMatch)
    await record(tx, caller, invoiceEvents.deleted, invoice)
  })

async function issue(tx: Transaction, caller: Caller, id: string, ifMatch: number[] | null) {
  const invoice = await issueDraftRow(tx, { id, ifMatch })
  if (!invoice) throw await notDraft(tx, id, ifMatch)
  await record(tx, caller, invoiceEvents.issued, invoice)
  if (invoice.status === 'paid') await record(tx, caller, invoiceEvents.paid, invoice)
  return invoice
}

/** Throws `invoice_not_draft`, `precondition_failed`. */
export const issueInvoice = (caller: Caller, id: string, ifMatch: number[] | null) =>
  caller.transaction(tx => issue(tx, caller, id, ifMatch))

/** Makes an invoice and issues it, in the transaction of what is charged for. Throws `amount_out_of_range`. */
export async function createIssuedInvoice(
  tx: Transaction,
  caller: Caller,
  organizationId: string,
  draft: Draft,
): Promise<InvoiceRow> {
  const { id } = await insertDraft(tx, caller, organizationId, draft)
  return issue(tx, caller, id, null)
}

/** Returns why an invoice was not changed as a draft. */
async function notDraft(tx: Transaction, id: string, ifMatch: number[] | null): Promise<AppError> {
  requireVersion(orNotFound(await findInvoice(tx, { id })), ifMatch)
  return invoiceErrors.invoice_not_draft()
}

/** Returns why an invoice was neither paid, voided nor written off. */
export async function notPayable(tx: Transaction, id: string, ifMatch: number[] | null): Promise<AppError> {
  const invoice = orNotFound(await findInvoice(tx, { id }))
  requireVersion(invoice, ifMatch)
  const isBeingPaid = invoice.status !== 'paid' && invoice.paymentId !== null
  return isBeingPaid ? invoiceErrors.invoice_being_paid() : invoiceErrors.invoice_not_open()
}

const endBy =
  (run: typeof voidInvoiceRow, type: typeof invoiceEvents.voided) =>
  (caller: Caller, id: string, ifMatch: number[] | null) =>
    caller.transaction(async tx => {
      const invoice = await run(tx, { id, ifMatch })
      if (!invoice) throw await notPayable(tx, id, ifMatch)
      await record(tx, caller, type, invoice)
      return invoice
    })

/** Both throw `invoice_not_open`, `invoice_being_paid`, `precondition_failed`. */
export const voidInvoice = endBy(voidInvoiceRow, invoiceEvents.voided)
export const writeOffInvoice = endBy(writeOffInvoiceRow, invoiceEvents.written_off)
