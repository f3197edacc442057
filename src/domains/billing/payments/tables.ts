import { sql } from 'drizzle-orm'
import { check, index, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { cents, id, isoTimestamp, timestamps, version } from '../../../database/columns.ts'
import { organizations } from '../../organizations/tables.ts'
import { invoices } from '../invoices/tables.ts'
import { orders } from '../orders/tables.ts'

const organizationId = () =>
  uuid()
    .notNull()
    .references(() => organizations.id, { onDelete: 'cascade' })

export const payments = pgTable(
  'payments',
  {
    id: id(),
    organizationId: organizationId(),
    orderId: uuid().references(() => orders.id, { onDelete: 'cascade' }),
    invoiceId: uuid().references(() => invoices.id, { onDelete: 'cascade' }),
    status: text().notNull().default('processing'),
    amountCents: cents().notNull(),
    /** The sum of the refunds that have not failed. */
    refundedCents: cents().notNull().default(0),
    currency: text().notNull(),
    provider: text().notNull(),
    paymentMethod: text().notNull(),
    /** The provider's name of the payment; null until it knows it. */
    reference: text(),
    failureCode: text(),
    actionUrl: text(),
    createdBy: uuid(),
    version: version(),
    ...timestamps(),
  },
  table => [
    index('payments_organization_idx').on(table.organizationId, table.id),
    index('payments_order_idx').on(table.orderId),
    index('payments_invoice_idx').on(table.invoiceId).where(sql`invoice_id is not null`),
    index('payments_reference_idx').on(table.reference).where(sql`reference is not null`),
    index('payments_open_idx').on(table.updatedAt).where(sql`status in ('processing', 'requires_action')`),
    // Reconciliation reads what has ended lately.
    index('payments_ended_idx').on(table.updatedAt, table.id).where(sql`status in ('succeeded', 'failed')`),
    check('payments_refunded_check', sql`refunded_cents between 0 and amount_cents`),
  ],
)

/** Events that Stripe has sent, so that each is applied once. */
export const stripeEvents = pgTable('stripe_events', {
  id: text().primaryKey(),
  type: text().notNull(),
  /** The payment intent that it is about. */
  reference: text(),
  receivedAt: isoTimestamp().notNull().default(sql`now()`),
  /** When it was applied; null while it was not. */
  appliedAt: isoTimestamp(),
})

export const refunds = pgTable(
  'refunds',
  {
    id: id(),
    organizationId: organizationId(),
    paymentId: uuid()
      .notNull()
      .references(() => payments.id, { onDelete: 'cascade' }),
    amountCents: cents().notNull(),
    status: text().notNull().default('processing'),
    version: version(),
    ...timestamps(),
  },
  table => [
    index('refunds_organization_idx').on(table.organizationId),
    index('refunds_payment_idx').on(table.paymentId),
    index('refunds_open_idx').on(table.updatedAt).where(sql`status = 'processing'`),
  ],
)
