import { defineErrors } from '../../../lib/errors.ts'

export const ledgerErrors = defineErrors({
  insufficient_funds: {
    status: 409,
    title: 'The balance is too small',
    constraint: 'accounts_not_negative',
    help: 'The account has less than the amount that is not held, and only a system account may be negative. Move less, or fill the account first; the key of the request stays free.',
  },
  transfer_reversed: {
    status: 409,
    title: 'The transfer is reversed already',
    constraint: 'transfers_reverses_key',
    help: 'A transfer is reversed once. The reversal is a transfer like any other: to take that back, reverse it.',
  },
  hold_ended: {
    status: 409,
    title: 'The hold has ended',
    help: 'It was captured, released, or has expired, and each ends it for good: `status` says which. Make a new hold.',
  },
  capture_too_large: {
    status: 409,
    title: 'More than the hold reserves',
    help: 'At most `amountCents` of the hold is captured, in one transfer. Capture less, and move the rest by a transfer of its own.',
  },
  account_not_holdable: {
    status: 409,
    title: 'A system account holds nothing back',
    help: 'Only the balance of a normal account has an end, so only there an amount is reserved. Hold it on a normal account.',
  },
  system_account_exists: {
    status: 409,
    title: 'The organization has a system account in this currency',
    constraint: 'accounts_system_key',
    help: 'There is one system account for each currency and purpose of an organization. Use that one.',
  },
})
