import { type Static, Type } from '@sinclair/typebox'
import { Cents, Closed, Currency, Id, List, ListQuery, Nullable, StringEnum, Timestamp } from '../../../lib/schema.ts'

const Status = StringEnum(['processing', 'requires_action', 'succeeded', 'failed'], {
  description:
    'Processing until the provider has answered; with `requires_action` the customer has a step to take at `actionUrl`.',
})
const PaymentMethod = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^[A-Za-z0-9_]+$',
  description:
    'What pays, as a token of the provider. The sandbox has `pm_sandbox_success` (the default), `pm_sandbox_declined`, `pm_sandbox_action`, `pm_sandbox_timeout` and `pm_sandbox_late`.',
  examples: ['pm_sandbox_success'],
})
const Amount = Cents({ minimum: 1, description: 'In minor units of the currency.', examples: [6902] })

export const Refund = Type.Object(
  {
    id: Id,
    organizationId: Id,
    paymentId: Id,
    amountCents: Amount,
    status: StringEnum(['processing', 'succeeded', 'failed'], {
      description: 'Processing until the provider has answered.',
    }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Refund', description: 'What of a payment is paid back.' },
)
export type Refund = Static<typeof Refund>

export const Payment = Type.Object(
  {
    id: Id,
    organizationId: Id,
    orderId: Nullable(Id, { description: 'The order that is paid; null for a payment without one.' }),
    invoiceId: Nullable(Id, {
      description: 'The invoice that is paid; null for a payment without one.',
      examples: [null],
    }),
    status: Status,
    amountCents: Amount,
    refundedCents: Cents({
      minimum: 0,
      description: 'What is paid back, or being paid back, in minor units.',
      examples: [0],
    }),
    currency: Currency,
    provider: StringEnum(['sandbox', 'stripe'], { description: 'Who moves the money.' }),
    paymentMethod: PaymentMethod,
    failureCode: Nullable(Type.String(), {
      description: 'Why it failed, in the word of the provider; null unless it did.',
      examples: [null],
    }),
    actionUrl: Nullable(Type.String(), {
      description: 'Where the customer takes the step that is missing; null where none is.',
      examples: [null],
    }),
    createdBy: Nullable(Id, { description: 'The user who created it; null where an API key did.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Payment', description: 'One attempt to take an amount.' },
)
export type Payment = Static<typeof Payment>

export const CreatePayment = Closed(
  { amountCents: Amount, currency: Currency, paymentMethod: Type.Optional(PaymentMethod) },
  { title: 'CreatePayment', examples: [{ amountCents: 6902, currency: 'EUR' }] },
)
export type CreatePayment = Static<typeof CreatePayment>
const payWith = (title: string) =>
  Nullable(Closed({ paymentMethod: Type.Optional(PaymentMethod) }), {
    title,
    examples: [{ paymentMethod: 'pm_sandbox_success' }],
  })
/** The body is optional. */
export const PayOrder = payWith('PayOrder')
/** The body is optional. */
export const PayInvoice = payWith('PayInvoice')
/** The body is optional. */
export const CreateRefund = Nullable(
  Closed({
    amountCents: Type.Optional(
      Cents({ minimum: 1, description: 'In minor units; all that is left when left out.', examples: [1000] }),
    ),
  }),
  { title: 'CreateRefund', examples: [{ amountCents: 1000 }] },
)

export const PaymentList = List(Payment)
export const PaymentsQuery = ListQuery(
  { status: Type.Optional({ ...Status, description: 'Only payments with this status.' }) },
  ['createdAt'],
)

const Counted = (description: string) => Cents({ minimum: 0, description, examples: [6902] })
const Told = (description: string) =>
  Nullable(Counted(description), { description: `${description} Null where the provider does not say.` })

export const UnreconciledPayment = Type.Object(
  {
    id: Id,
    organizationId: Id,
    currency: Currency,
    status: Status,
    amountCents: Amount,
    refundsCents: Counted('What was paid back.'),
    postedCents: Counted('What the ledger has of the payment.'),
    postedFeesCents: Counted('What the ledger has of the fee.'),
    postedRefundsCents: Counted('What the ledger has of the refunds.'),
    takenCents: Told('What the provider has taken.'),
    returnedCents: Told('What the provider has paid back.'),
    feeCents: Told('What the provider has kept.'),
  },
  { title: 'UnreconciledPayment', description: 'A payment on which the provider, the ledger and we do not agree.' },
)
