import { type Static, Type } from '@sinclair/typebox'
import { Closed, Email, Id, List, ListQuery, Nullable, Patch, StringEnum, Timestamp } from '../../../lib/schema.ts'

const MAX_QUANTITY = 100_000
const MAX_TRIAL_DAYS = 730

const Status = StringEnum(['trialing', 'active', 'past_due', 'paused', 'unpaid', 'canceled'], {
  description:
    'Past due: a charge has failed and is repeated. Unpaid: it was repeated in vain. A canceled one is over.',
})
const ProductId = { ...Id, description: 'A product with a recurring price.' }
const PriceId = { ...Id, description: 'One of its recurring prices; the first when left out.' }
const Quantity = Type.Integer({ minimum: 1, maximum: MAX_QUANTITY, description: 'How many.', examples: [5] })
const CustomerEmail = { ...Email, description: 'Where invoices and notices go.' }
const PaymentMethod = Type.String({
  minLength: 1,
  maxLength: 255,
  pattern: '^[A-Za-z0-9_]+$',
  description: 'What pays, as a token of the provider; the usual one of the provider when left out.',
  examples: ['pm_sandbox_success'],
})
const When = StringEnum(['now', 'period_end'], { description: 'At once, or when the current period ends.' })
const moment = (description: string) => Nullable(Timestamp, { description, examples: [null] })

export const Subscription = Type.Object(
  {
    id: Id,
    organizationId: Id,
    productId: Id,
    priceId: Id,
    quantity: Quantity,
    status: Status,
    customerEmail: CustomerEmail,
    paymentMethod: Nullable(PaymentMethod, { description: 'What pays; null for the usual one of the provider.' }),
    periodStart: { ...Timestamp, description: 'When the current period began.' },
    periodEnd: { ...Timestamp, description: 'When it ends, and the next one is charged.' },
    trialEndsAt: moment('When the trial ends or ended; null where there was none.'),
    nextAt: moment('When it is next renewed, or a failed charge repeated; null when neither is to come.'),
    cancelAtPeriodEnd: Type.Boolean({ description: 'Whether it ends with the current period.' }),
    canceledAt: moment('When it was canceled; null when it was not.'),
    pausedAt: moment('Since when it is paused; null when it is not.'),
    nextProductId: Nullable(Id, {
      description: 'The product from the next period on; null where it stays.',
      examples: [null],
    }),
    nextPriceId: Nullable(Id, { description: 'The price from the next period on.', examples: [null] }),
    nextQuantity: Nullable(Type.Integer(), { description: 'The quantity from the next period on.', examples: [null] }),
    failedCharges: Type.Integer({
      description: 'How often the charge has failed since it last succeeded.',
      examples: [0],
    }),
    latestInvoiceId: Nullable(Id, { description: 'Its latest invoice; null before the first.', examples: [null] }),
    createdBy: Nullable(Id, { description: 'The user who started it; null where an API key did.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Subscription', description: 'A product that an organization pays for period by period.' },
)
export type Subscription = Static<typeof Subscription>

export const CreateSubscription = Closed(
  {
    productId: ProductId,
    priceId: Type.Optional(PriceId),
    quantity: Type.Optional({ ...Quantity, default: 1 }),
    trialDays: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_TRIAL_DAYS,
        description: 'Days before the first period that cost nothing.',
        examples: [14],
      }),
    ),
    customerEmail: Type.Optional({
      ...CustomerEmail,
      description: 'That of the caller when left out, or of an owner.',
    }),
    paymentMethod: Type.Optional(PaymentMethod),
  },
  { title: 'CreateSubscription' },
)
export type CreateSubscription = Static<typeof CreateSubscription>

export const UpdateSubscription = Patch(
  Closed({
    productId: ProductId,
    priceId: PriceId,
    quantity: Quantity,
    when: {
      ...When,
      description:
        'When product, price and quantity change: at once with the difference charged, or with the next period.',
    },
    customerEmail: CustomerEmail,
    paymentMethod: PaymentMethod,
  }),
  { title: 'UpdateSubscription', examples: [{ quantity: 7, when: 'now' }] },
)
export type UpdateSubscription = Static<typeof UpdateSubscription>

/** The body is optional. */
export const CancelSubscription = Nullable(
  Closed({ when: Type.Optional({ ...When, description: 'At the end of the period when left out.' }) }),
  { title: 'CancelSubscription', examples: [{ when: 'period_end' }] },
)

export const SubscriptionList = List(Subscription)
export const SubscriptionsQuery = ListQuery(
  { status: Type.Optional({ ...Status, description: 'Only subscriptions with this status.' }) },
  ['createdAt'],
)
