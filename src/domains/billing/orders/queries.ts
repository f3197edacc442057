import { and, eq, type SQL, sql } from 'drizzle-orm'
import { defineList } from '../../../database/list.ts'
import { one, type Params, statement } from '../../../database/statement.ts'
import { versionMatches } from '../../../database/versions.ts'
import { Order, type OrderLine } from './schemas.ts'
import { orderLines, orders } from './tables.ts'

export type OrderRow = Order & { version: number }

const columns = sql`id, organization_id, status, currency, (
  select json_agg(json_build_object('productId', l.product_id, 'priceId', l.price_id, 'name', l.name,
    'quantity', l.quantity, 'unitAmountCents', l.unit_amount_cents, 'taxBasisPoints', l.tax_basis_points,
    'amountCents', l.amount_cents, 'taxCents', l.tax_cents) order by l.place)
  from ${orderLines} l where l.order_id = orders.id) as lines,
  subtotal_cents, tax_cents, total_cents, payment_id, created_by, version, created_at, updated_at`

export const findOrder = one(
  statement(
    'orders.find',
    (_, $: Params<{ id: string }>) => sql<OrderRow>`select ${columns} from ${orders} where id = ${$.id}`,
  ),
)

interface NewOrder {
  id: string
  organizationId: string
  currency: string
  subtotalCents: number
  taxCents: number
  totalCents: number
  createdBy: string | null
}

export const insertOrder = statement(
  'orders.insert',
  (_, $: Params<NewOrder>) => sql`
    insert into ${orders} (id, organization_id, currency, subtotal_cents, tax_cents, total_cents, created_by)
    values (${$.id}, ${$.organizationId}, ${$.currency}, ${$.subtotalCents}, ${$.taxCents}, ${$.totalCents},
      ${$.createdBy})`,
)

/** Inserts lines, given as a JSON array of `OrderLine` with their places. */
export const insertOrderLines = statement(
  'orders.insert_lines',
  (_, $: Params<{ orderId: string; lines: string }>) => sql`
    insert into ${orderLines} (order_id, place, product_id, price_id, name, quantity, unit_amount_cents, tax_basis_points,
      amount_cents, tax_cents)
    select ${$.orderId}::uuid, l.place, l."productId", l."priceId", l.name, l.quantity, l."unitAmountCents",
      l."taxBasisPoints", l."amountCents", l."taxCents"
    from jsonb_to_recordset(${$.lines}::jsonb) as l(place int, "productId" uuid, "priceId" uuid, name text, quantity int,
      "unitAmountCents" bigint, "taxBasisPoints" int, "amountCents" bigint, "taxCents" bigint)`,
)

export type PlacedLine = OrderLine & { place: number }

/** One transition: nothing is changed unless the row is as `from` says. */
const transition = <Input extends { id: string }>(
  name: string,
  set: ($: Params<Input>) => SQL,
  from: ($: Params<Input>) => SQL | undefined,
) =>
  one(
    statement(
      name,
      (_, $: Params<Input>) => sql<OrderRow>`
        update ${orders} set ${set($)}, version = version + 1, updated_at = now()
        where ${and(eq(orders.id, $.id), from($))} returning ${columns}`,
    ),
  )

type Paid = { id: string; paymentId: string }
type Conditional = { id: string; ifMatch: number[] | null }

const pending = sql`status = 'pending'`
const free = ($: Params<Conditional>) =>
  sql`${pending} and payment_id is null and ${versionMatches(orders.version, $.ifMatch)}`

/** Binds the order to a payment, so that no other pays it and nobody cancels it. */
export const claimOrder = transition<Paid & Conditional>('orders.claim', $ => sql`payment_id = ${$.paymentId}`, free)

export const cancelOrderRow = transition<Conditional>('orders.cancel', () => sql`status = 'cancelled'`, free)

/** Unbinds the order from a payment that has failed. */
export const releaseOrderRow = transition<Paid>(
  'orders.release',
  () => sql`payment_id = null`,
  $ => sql`${pending} and payment_id = ${$.paymentId}`,
)

export const payOrderRow = transition<Paid>(
  'orders.pay',
  () => sql`status = 'paid'`,
  $ => sql`${pending} and payment_id = ${$.paymentId}`,
)

export const refundOrderRow = transition<Paid>(
  'orders.refund',
  () => sql`status = 'refunded'`,
  $ => sql`status = 'paid' and payment_id = ${$.paymentId}`,
)

const byId = { on: orders.id, key: 'id', type: 'uuid' } as const

export const listOrders = defineList<Order, { organizationId: string }, { status?: string }>({
  name: 'orders.list',
  item: Order,
  columns,
  from: sql`${orders}`,
  where: $ => eq(orders.organizationId, $.organizationId),
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
  filters: { status: $ => eq(orders.status, sql`${$.status}`) },
})
