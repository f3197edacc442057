import { type Static, Type } from '@sinclair/typebox'
import { Cents, Closed, Currency, Id, List, ListQuery, Nullable, StringEnum, Timestamp } from '../../../lib/schema.ts'
import { TaxBasisPoints } from '../products/schemas.ts'

/** More lines than a person fills in; an order is written by one statement. */
const MAX_LINES = 100
const MAX_QUANTITY = 1_000_000

const Status = StringEnum(['pending', 'paid', 'refunded', 'cancelled'], {
  description: 'Pending until it is paid or cancelled; refunded when the whole payment is.',
})
const Quantity = Type.Integer({ minimum: 1, maximum: MAX_QUANTITY, description: 'How many.', examples: [2] })

export const OrderLine = Type.Object(
  {
    productId: Id,
    priceId: Id,
    name: Type.String({ description: 'What the product was called.', examples: ['Handbook'] }),
    quantity: Quantity,
    unitAmountCents: Cents({ description: 'What one cost before tax, in minor units.', examples: [2900] }),
    taxBasisPoints: TaxBasisPoints,
    amountCents: Cents({ description: 'Of the line before tax, in minor units.', examples: [5800] }),
    taxCents: Cents({ description: 'The tax of the line, rounded half away from zero.', examples: [1102] }),
  },
  { title: 'OrderLine', description: 'A product with the price that it had when the order was made.' },
)
export type OrderLine = Static<typeof OrderLine>

export const Order = Type.Object(
  {
    id: Id,
    organizationId: Id,
    status: Status,
    currency: Currency,
    lines: Type.Array(OrderLine, { description: 'What is bought.' }),
    subtotalCents: Cents({ description: 'The sum of the lines before tax, in minor units.', examples: [5800] }),
    taxCents: Cents({ description: 'The sum of the tax of the lines, in minor units.', examples: [1102] }),
    totalCents: Cents({ description: 'What is to be paid, in minor units.', examples: [6902] }),
    paymentId: Nullable(Id, {
      description: 'The payment that is under way or has succeeded; null while there is none.',
      examples: [null],
    }),
    createdBy: Nullable(Id, { description: 'The user who created it; null where an API key did.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Order', description: 'What an organization buys at once.' },
)
export type Order = Static<typeof Order>

export const CreateOrder = Closed(
  {
    lines: Type.Array(
      Closed(
        {
          productId: { ...Id, description: 'A product that is not archived and has a one-time price.' },
          quantity: Quantity,
        },
        { title: 'NewOrderLine', description: 'A product and how many of it.' },
      ),
      { minItems: 1, maxItems: MAX_LINES, description: 'What is bought.' },
    ),
    currency: Type.Optional(Currency),
  },
  { title: 'CreateOrder' },
)
export type CreateOrder = Static<typeof CreateOrder>

export const OrderList = List(Order)
export const OrdersQuery = ListQuery(
  { status: Type.Optional({ ...Status, description: 'Only orders with this status.' }) },
  ['createdAt'],
)
