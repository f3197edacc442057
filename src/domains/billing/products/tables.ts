import { sql } from 'drizzle-orm'
import { index, integer, pgTable, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { cents, id, isoTimestamp, timestamps, version } from '../../../database/columns.ts'

export const products = pgTable('products', {
  id: id(),
  name: text().notNull(),
  description: text(),
  status: text().$type<'active' | 'archived'>().notNull().default('active'),
  taxBasisPoints: integer().notNull(),
  version: version(),
  ...timestamps(),
})

/** Rows are never changed but for `archivedAt`, because orders refer to them. */
export const prices = pgTable(
  'prices',
  {
    id: id(),
    productId: uuid()
      .notNull()
      .references(() => products.id),
    currency: text().notNull(),
    amountCents: cents().notNull(),
    /** The unit of the period; null where the price is paid once. */
    interval: text(),
    intervalCount: integer(),
    /** Null while the price is current. */
    archivedAt: isoTimestamp(),
    createdAt: isoTimestamp().notNull().default(sql`now()`),
  },
  table => [
    index('prices_product_idx').on(table.productId),
    uniqueIndex('prices_current_key')
      .on(
        table.productId,
        table.currency,
        sql`coalesce(${table.interval}, '')`,
        sql`coalesce(${table.intervalCount}, 0)`,
      )
      .where(sql`${table.archivedAt} is null`),
  ],
)
