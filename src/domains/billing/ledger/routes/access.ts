import { member, orPlatform } from '../../../../lib/access.ts'
import { moneyErrors } from '../../../../lib/money.ts'
import { ledgerErrors } from '../errors.ts'

export const read = (resource: string) => ({ access: member('viewer', resource, 'ledger:read'), money: true }) as const
export const write = (resource: string) =>
  ({ access: orPlatform('admin', member('admin', resource, 'ledger:write')), money: true }) as const
/** What a transfer changes besides itself. */
export const moves = {
  idempotency: 'required',
  money: true,
  affects: ['transfers', 'accounts', 'entries'],
  records: ['transfer.created'],
} as const
export const moveProblems = [
  ledgerErrors.insufficient_funds,
  moneyErrors.currency_mismatch,
  moneyErrors.amount_out_of_range,
]
