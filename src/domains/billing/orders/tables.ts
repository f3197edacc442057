import { index, integer, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { cents, id, timestamps, version } from '../../../database/columns.ts'
import { organizations } from '../../organizations/tables.ts'
import { prices, products } from '../products/tables.ts'

export const orders = pgTable(
  'orders',
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    status: text().notNull().default('pending'),
    currency: text().notNull(),
    subtotalCents: cents().notNull(),
    taxCents: cents().notNull(),
    totalCents: cents().notNull(),
    /** The payment that is under way or has succeeded. */
    paymentId: uuid(),
    createdBy: uuid(),
    version: version(),
    ...timestamps(),
  },
  table => [index('orders_organization_idx').on(table.organizationId, table.id)],
)

export const orderLines = pgTable(
  'order_lines',
  {
    orderId: uuid()
      .notNull()
      .references(() => orders.id, { onDelete: 'cascade' }),
    /** The place of the line in the order, from 1. */
    place: integer().notNull(),
    productId: uuid()
      .notNull()
      .references(() => products.id),
    priceId: uuid()
      .notNull()
      .references(() => prices.id),
    name: text().notNull(),
    quantity: integer().notNull(),
    unitAmountCents: cents().notNull(),
    taxBasisPoints: integer().notNull(),
    amountCents: cents().notNull(),
    taxCents: cents().notNull(),
  },
  table => [primaryKey({ columns: [table.orderId, table.place] })],
)
