import { sql } from 'drizzle-orm'
import { boolean, index, integer, json, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { id, isoTimestamp, timestamps, version } from '../../../database/columns.ts'
import { organizations } from '../../organizations/tables.ts'
import { invoices } from '../invoices/tables.ts'
import { prices, products } from '../products/tables.ts'

const organizationId = () =>
  uuid()
    .notNull()
    .references(() => organizations.id, { onDelete: 'cascade' })

export const subscriptions = pgTable(
  'subscriptions',
  {
    id: id(),
    organizationId: organizationId(),
    productId: uuid()
      .notNull()
      .references(() => products.id),
    priceId: uuid()
      .notNull()
      .references(() => prices.id),
    quantity: integer().notNull(),
    status: text().notNull(),
    customerEmail: text().notNull(),
    /** Null for the usual one of the provider. */
    paymentMethod: text(),
    /** Periods are counted from here, so that the 31st comes back after February. */
    anchorAt: isoTimestamp().notNull(),
    /** How many periods after the anchor the current one ends. */
    cycle: integer().notNull(),
    periodStart: isoTimestamp().notNull(),
    periodEnd: isoTimestamp().notNull(),
    trialEndsAt: isoTimestamp(),
    /** When it is next renewed, or its charge repeated; null while there is nothing to wait for. */
    nextAt: isoTimestamp(),
    cancelAtPeriodEnd: boolean().notNull().default(false),
    canceledAt: isoTimestamp(),
    pausedAt: isoTimestamp(),
    /** The change that comes with the next period; null where there is none. */
    nextProductId: uuid().references(() => products.id),
    nextPriceId: uuid().references(() => prices.id),
    nextQuantity: integer(),
    /** Lines of the next invoice, such as the unused part of a plan that was changed. */
    carriedLines: json().notNull().default([]),
    /** How often the charge has failed since it last succeeded. */
    failedCharges: integer().notNull().default(0),
    latestInvoiceId: uuid(),
    createdBy: uuid(),
    version: version(),
    ...timestamps(),
  },
  table => [
    index('subscriptions_organization_idx').on(table.organizationId, table.id),
    index('subscriptions_due_idx').on(table.nextAt).where(sql`next_at is not null`),
  ],
)

/** What was invoiced. An index makes a second invoice for one period impossible. */
export const subscriptionInvoices = pgTable(
  'subscription_invoices',
  {
    organizationId: organizationId(),
    subscriptionId: uuid()
      .notNull()
      .references(() => subscriptions.id, { onDelete: 'cascade' }),
    /** The beginning of the period, or the moment of the change, that is charged for. */
    startsAt: isoTimestamp().notNull(),
    invoiceId: uuid()
      .notNull()
      .references(() => invoices.id, { onDelete: 'cascade' }),
    /** Whether nothing more is expected of the invoice. */
    settled: boolean().notNull().default(false),
    /** False for a change in the middle of a period. */
    isPeriod: boolean().notNull(),
  },
  table => [
    primaryKey({ columns: [table.subscriptionId, table.invoiceId] }),
    uniqueIndex('subscription_invoices_period_key').on(table.subscriptionId, table.startsAt).where(sql`is_period`),
    index('subscription_invoices_invoice_idx').on(table.invoiceId),
    index('subscription_invoices_open_idx').on(table.subscriptionId).where(sql`not settled`),
  ],
)
