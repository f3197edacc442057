import { defineErrors } from '../../../lib/errors.ts'

export const orderErrors = defineErrors({
  order_not_pending: {
    status: 409,
    title: 'The order is not pending',
    help: 'Only a pending order is paid or cancelled, and this one is paid, refunded or cancelled. Read it again; for a paid order there are refunds of its payment.',
  },
  order_being_paid: {
    status: 409,
    title: 'A payment of the order is under way',
    help: 'Nobody knows yet whether the payment of the order succeeds, so it can be neither cancelled nor paid once more. Wait until the payment has succeeded or failed, then read the order again.',
  },
})
