import { sql } from 'drizzle-orm'
import { integer, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { cents, isoTimestamp } from '../../database/columns.ts'

/** The books of the sandbox, as a provider has its own: nothing else reads or writes them. */
export const sandboxPayments = pgTable('sandbox_payments', {
  /** Our id of the payment, so that preparing twice makes one. */
  id: uuid().primaryKey(),
  method: text().notNull(),
  status: text().notNull().default('prepared'),
  amountCents: cents().notNull(),
  refundedCents: cents().notNull().default(0),
  /** How often money was taken; more than once would be a fault of the caller. */
  charges: integer().notNull().default(0),
  createdAt: isoTimestamp().notNull().default(sql`now()`),
})

export const sandboxRefunds = pgTable('sandbox_refunds', {
  id: uuid().primaryKey(),
  paymentId: uuid()
    .notNull()
    .references(() => sandboxPayments.id),
  amountCents: cents().notNull(),
})
