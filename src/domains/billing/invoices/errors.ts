import { defineErrors } from '../../../lib/errors.ts'

export const invoiceErrors = defineErrors({
  invoice_not_draft: {
    status: 409,
    title: 'The invoice is issued',
    help: 'An issued invoice has a number and stays as it is. Correct it by a credit note, or void it and issue another.',
  },
  invoice_not_issued: {
    status: 409,
    title: 'The invoice is a draft',
    help: 'A draft has no number and nobody owes it. Issue it first.',
  },
  invoice_not_open: {
    status: 409,
    title: 'The invoice is not open',
    help: 'Only an invoice that is issued and neither paid nor void can be paid, voided or written off. Read it again: `status` says how it stands.',
  },
  invoice_being_paid: {
    status: 409,
    title: 'A payment of the invoice is under way',
    help: 'Nobody knows yet whether the payment of the invoice succeeds. Wait until the payment has succeeded or failed, then read the invoice again.',
  },
  credit_of_nothing: {
    status: 409,
    title: 'The credit note is over nothing',
    help: 'Its lines add up to zero, so it would correct nothing. Credit at least one minor unit.',
  },
  credit_too_large: {
    status: 409,
    title: 'More than is left of the invoice',
    help: 'All credit notes together would be more than the invoice. Credit at most `totalCents` less `creditedCents` of it.',
  },
})
