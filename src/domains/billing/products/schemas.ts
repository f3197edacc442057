import { type Static, Type } from '@sinclair/typebox'
import { BASIS_POINTS } from '../../../lib/money.ts'
import {
  Cents,
  Closed,
  Currency,
  Id,
  List,
  ListQuery,
  Nullable,
  Patch,
  StringEnum,
  Text,
  Timestamp,
  VisibleText,
} from '../../../lib/schema.ts'

/** Enough for every currency that a shop offers, once and by month and year. */
const MAX_PRICES = 100
/** Three years of days are more than any provider renews after. */
const MAX_INTERVAL_COUNT = 1095

const Name = VisibleText(200, { description: 'What the product is called.', examples: ['Handbook'] })
const Description = Nullable(Text(0, 10_000), {
  description: 'What one gets; null for nothing said.',
  examples: ['How to run the service, printed.'],
})
const Status = StringEnum(['active', 'archived'], { description: 'An archived product is not sold.' })
export const TaxBasisPoints = Type.Integer({
  minimum: 0,
  maximum: BASIS_POINTS,
  description: 'The tax added to the price, in hundredths of a percent: 1900 is 19 %.',
  examples: [1900],
})

/** Nothing costs less than one minor unit: a total of zero cannot be paid. */
const Amount = Cents({
  minimum: 1,
  description: 'Before tax, in minor units of the currency: 2900 is 29.00 EUR, 2900 JPY or 2.900 KWD.',
  examples: [2900],
})
const Interval = Nullable(StringEnum(['day', 'week', 'month', 'year']), {
  description: 'The unit of the period that the price is for; null where it is paid once.',
  examples: [null],
})
const IntervalCount = Nullable(Type.Integer({ minimum: 1, maximum: MAX_INTERVAL_COUNT }), {
  description: 'How many units the period has; null where the price is paid once.',
  examples: [null],
})

export const Price = Type.Object(
  { id: Id, currency: Currency, amountCents: Amount, interval: Interval, intervalCount: IntervalCount },
  { title: 'Price', description: 'What a product costs in one currency, once or for each period. It never changes.' },
)
export type Price = Static<typeof Price>

export const Product = Type.Object(
  {
    id: Id,
    name: Name,
    description: Description,
    status: Status,
    taxBasisPoints: TaxBasisPoints,
    prices: Type.Array(Price, { description: 'The current prices.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Product', description: 'Something that is sold.' },
)
export type Product = Static<typeof Product>

const NewPrice = Closed(
  {
    currency: Currency,
    amountCents: Amount,
    interval: Type.Optional(Interval),
    intervalCount: Type.Optional(
      Nullable(Type.Integer({ minimum: 1, maximum: MAX_INTERVAL_COUNT }), {
        description: 'How many units the period has; 1 when left out.',
        examples: [null],
      }),
    ),
  },
  { title: 'NewPrice' },
)
export type NewPrice = Static<typeof NewPrice>
const NewPrices = Type.Array(NewPrice, {
  minItems: 1,
  maxItems: MAX_PRICES,
  description: 'All prices, one for each currency and period. Those that are not among them are archived.',
})

const prices = [
  { currency: 'EUR', amountCents: 990, interval: 'month', intervalCount: 1 },
  { currency: 'EUR', amountCents: 2900 },
  { currency: 'JPY', amountCents: 4800 },
]
export const CreateProduct = Closed(
  {
    name: Name,
    description: Type.Optional(Description),
    taxBasisPoints: Type.Optional({ ...TaxBasisPoints, default: 0 }),
    prices: NewPrices,
  },
  { title: 'CreateProduct', examples: [{ name: 'Handbook', taxBasisPoints: 1900, prices }] },
)
export type CreateProduct = Static<typeof CreateProduct>
export const UpdateProduct = Patch(
  Closed({ name: Name, description: Description, status: Status, taxBasisPoints: TaxBasisPoints, prices: NewPrices }),
  { title: 'UpdateProduct', examples: [{ name: 'Handbook, second edition', prices }] },
)
export type UpdateProduct = Static<typeof UpdateProduct>

export const ProductList = List(Product)
export const ProductsQuery = ListQuery(
  {
    status: Type.Optional({ ...Status, description: 'Only products with this status.' }),
    search: Type.Optional(Text(1, 200, { description: 'Part of the name.' })),
  },
  ['createdAt'],
)
export type ProductsQuery = Static<typeof ProductsQuery>
