import type { Transaction } from '../../../database/client.ts'
import { type Caller, userIdOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { type AppError, invalid, orNotFound, requireVersion } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { shareOf, sumCents, timesCents } from '../../../lib/money.ts'
import { findProducts } from '../products/queries.ts'
import type { Product } from '../products/schemas.ts'
import { orderErrors } from './errors.ts'
import { orderEvents } from './events.ts'
import {
  cancelOrderRow,
  claimOrder,
  findOrder,
  insertOrder,
  insertOrderLines,
  type OrderRow,
  type PlacedLine,
  payOrderRow,
  refundOrderRow,
  releaseOrderRow,
} from './queries.ts'
import type { CreateOrder } from './schemas.ts'

/** The price that an order is made with; undefined when the product is not sold once in this currency. */
const oneTimePrice = ({ prices }: Product, currency: string | undefined) =>
  prices.find(price => price.interval === null && (currency === undefined || price.currency === currency))

/** Throws `validation_failed`, `amount_out_of_range`. */
function lineOf(
  product: Product | undefined,
  { quantity }: { quantity: number },
  currency: string | undefined,
  at: number,
) {
  const pointer = `#/lines/${at}/productId`
  if (!product) throw invalid(pointer, 'names no product')
  if (product.status === 'archived') throw invalid(pointer, 'names a product that is archived')
  const price = oneTimePrice(product, currency)
  if (!price) throw invalid(pointer, `names a product without a one-time price${currency ? ` in ${currency}` : ''}`)
  const amountCents = timesCents(price.amountCents, quantity)
  const { id: productId, name, taxBasisPoints } = product
  const line: PlacedLine = {
    place: at + 1,
    productId,
    priceId: price.id,
    name,
    quantity,
    unitAmountCents: price.amountCents,
    taxBasisPoints,
    amountCents,
    taxCents: shareOf(amountCents, taxBasisPoints),
  }
  return { line, currency: price.currency }
}

/** Returns the lines with the prices of now, all in one currency. Throws as `lineOf`. */
async function pricedLines(tx: Transaction, { lines, currency: wanted }: CreateOrder) {
  const found = await findProducts(tx, { ids: lines.map(({ productId }) => productId) })
  const byId = new Map(found.map(product => [product.id, product]))
  let currency: string | undefined = wanted
  const priced = lines.map((line, at) => {
    const made = lineOf(byId.get(line.productId), line, currency, at)
    currency = made.currency
    return made.line
  })
  return { lines: priced, currency: currency as string }
}

/** Throws `validation_failed`, `amount_out_of_range`. */
export const createOrder = (caller: Caller, organizationId: string, given: CreateOrder, id = newId()) =>
  caller.transaction(async tx => {
    const { lines, currency } = await pricedLines(tx, given)
    const subtotalCents = sumCents(lines.map(({ amountCents }) => amountCents))
    const taxCents = sumCents(lines.map(line => line.taxCents))
    const totalCents = sumCents([subtotalCents, taxCents])
    const totals = { currency, subtotalCents, taxCents, totalCents }
    await insertOrder(tx, { id, organizationId, ...totals, createdBy: userIdOf(caller) })
    await insertOrderLines(tx, { orderId: id, lines: JSON.stringify(lines) })
    const order = orNotFound(await findOrder(tx, { id }))
    await record(tx, caller, orderEvents.created, order)
    return order
  })

/** Returns why an order was not changed. */
async function refusal(tx: Transaction, id: string, ifMatch: number[] | null): Promise<AppError> {
  const order = orNotFound(await findOrder(tx, { id }))
  requireVersion(order, ifMatch)
  return order.status === 'pending' ? orderErrors.order_being_paid() : orderErrors.order_not_pending()
}

/** Throws `order_not_pending`, `order_being_paid`, `precondition_failed`. */
export const cancelOrder = (caller: Caller, id: string, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const order = await cancelOrderRow(tx, { id, ifMatch })
    if (!order) throw await refusal(tx, id, ifMatch)
    await record(tx, caller, orderEvents.cancelled, order)
    return order
  })

/** Binds the order to a payment, which is written in the same transaction. Throws as `cancelOrder`. */
export async function bindOrder(
  tx: Transaction,
  id: string,
  paymentId: string,
  ifMatch: number[] | null,
): Promise<OrderRow> {
  const order = await claimOrder(tx, { id, paymentId, ifMatch })
  if (!order) throw await refusal(tx, id, ifMatch)
  return order
}

type Settle = typeof payOrderRow

const settleBy =
  (run: Settle, type: typeof orderEvents.paid | null) =>
  async (tx: Transaction, caller: Caller, id: string, paymentId: string): Promise<void> => {
    const order = await run(tx, { id, paymentId })
    if (order && type) await record(tx, caller, type, order)
  }

/** What follows for the order from its payment; an order that is bound to another payment stays as it is. */
export const orderPaid = settleBy(payOrderRow, orderEvents.paid)
export const orderRefunded = settleBy(refundOrderRow, orderEvents.refunded)
export const orderReleased = settleBy(releaseOrderRow, null)
