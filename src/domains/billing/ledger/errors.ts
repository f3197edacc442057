import { defineErrors } from '../../../lib/errors.ts'

export const ledgerErrors = defineErrors({
  insufficient_funds: {
    status: 409,
    title: 'The balance is too small',
    constraint: 'accounts_not_negative',
    help: 'The account has less than the amount, and only a system account may be negative. Move less, or fill the account first; the key of the request stays free.',
  },
  transfer_reversed: {
    status: 409,
    title: 'The transfer is reversed already',
    constraint: 'transfers_reverses_key',
    help: 'A transfer is reversed once. The reversal is a transfer like any other: to take that back, reverse it.',
  },
  system_account_exists: {
    status: 409,
    title: 'The organization has a system account in this currency',
    constraint: 'accounts_system_key',
    help: 'There is one system account for each currency of an organization. Use that one.',
  },
})
