import { defineErrors } from '../../../lib/errors.ts'

export const paymentErrors = defineErrors({
  event_not_signed: {
    status: 400,
    title: 'The event is not signed',
    help: 'The signature does not fit the body, the secrets or the time. Set STRIPE_WEBHOOK_SECRET to the signing secret of the endpoint at Stripe, and see that no proxy changes the body.',
  },
  payment_not_refundable: {
    status: 409,
    title: 'The payment cannot be refunded',
    help: 'Only a payment that has succeeded and is not wholly refunded can be. Read it again: `status` and `refundedCents` say how it stands.',
  },
  refund_too_large: {
    status: 409,
    title: 'More than is left of the payment',
    help: 'All refunds together, also those that are still processing, would be more than was paid. Refund at most `amountCents` less `refundedCents` of the payment.',
  },
})
