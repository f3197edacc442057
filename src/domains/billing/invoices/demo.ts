import type { Transaction } from '../../../database/client.ts'
import type { Caller } from '../../../events/caller.ts'
import { demoId } from '../../../lib/demo.ts'
import { demoOrganizationId } from '../../organizations/demo.ts'
import type { CreateInvoice } from './schemas.ts'
import { createCreditNote } from './service/credit-notes.ts'
import { createInvoice, issueInvoice } from './service/invoices.ts'

export const demoInvoiceId = demoId(230)
/** A draft, so that examples can change and issue it. */
export const demoDraftId = demoId(231)

const demoInvoice: CreateInvoice = {
  customerName: 'Łódź Książki sp. z o.o.',
  customerEmail: 'office@example.com',
  currency: 'EUR',
  lines: [
    { description: 'Handbook', quantity: 2, unitAmountCents: 2_900, taxBasisPoints: 700 },
    { description: 'A day of training', quantity: 1, unitAmountCents: 90_000, taxBasisPoints: 1_900 },
  ],
}

export async function insertDemoInvoices(_tx: Transaction, caller: Caller): Promise<void> {
  for (const id of [demoInvoiceId, demoDraftId]) await createInvoice(caller, demoOrganizationId, demoInvoice, id)
  await issueInvoice(caller, demoInvoiceId, null)
  const [line] = demoInvoice.lines
  const returned = { reason: 'One was returned', lines: line ? [{ ...line, quantity: 1 }] : [] }
  await createCreditNote(caller, demoInvoiceId, returned)
}
