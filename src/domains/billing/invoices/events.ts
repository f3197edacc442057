import { defineEvents } from '../../../events/registry.ts'
import { CreditNote, Invoice } from './schemas.ts'

export const invoiceEvents = defineEvents('invoice', {
  created: Invoice,
  updated: Invoice,
  deleted: Invoice,
  issued: Invoice,
  sent: Invoice,
  paid: Invoice,
  voided: Invoice,
  written_off: Invoice,
})
export const creditNoteEvents = defineEvents('credit_note', { created: CreditNote })
