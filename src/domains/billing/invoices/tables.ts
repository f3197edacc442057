import { sql } from 'drizzle-orm'
import { check, index, integer, json, pgTable, text, unique, uuid } from 'drizzle-orm/pg-core'
import { cents, id, isoTimestamp, timestamps, version } from '../../../database/columns.ts'
import { organizations } from '../../organizations/tables.ts'

const organizationId = () =>
  uuid()
    .notNull()
    .references(() => organizations.id, { onDelete: 'cascade' })

/** What an invoice and a credit note say about amounts. It is `json` and not `jsonb`, which would sort the properties. */
const amounts = () => ({
  currency: text().notNull(),
  lines: json().notNull(),
  taxes: json().notNull(),
  subtotalCents: cents().notNull(),
  taxCents: cents().notNull().default(0),
  totalCents: cents().notNull(),
})

/** A trigger refuses to change what an issued invoice says, and to delete one while its organization stands. */
export const invoices = pgTable(
  'invoices',
  {
    id: id(),
    organizationId: organizationId(),
    /** From 1 without gaps in each organization; null for a draft. */
    number: integer(),
    status: text().notNull().default('draft'),
    customerName: text().notNull(),
    customerEmail: text().notNull(),
    customerAddress: text(),
    ...amounts(),
    /** The sum of its credit notes. */
    creditedCents: cents().notNull().default(0),
    dueDays: integer().notNull(),
    issuedAt: isoTimestamp(),
    dueAt: isoTimestamp(),
    sentAt: isoTimestamp(),
    paidAt: isoTimestamp(),
    /** The payment that is under way or has succeeded. */
    paymentId: uuid(),
    createdBy: uuid(),
    version: version(),
    ...timestamps(),
  },
  table => [
    index('invoices_organization_idx').on(table.organizationId, table.id),
    unique('invoices_number_key').on(table.organizationId, table.number),
    check('invoices_total_check', sql`total_cents = subtotal_cents + tax_cents and total_cents >= 0`),
    check('invoices_credited_check', sql`credited_cents between 0 and total_cents`),
    check(
      'invoices_issued_check',
      sql`(status = 'draft') = (number is null) and (number is null) = (issued_at is null)`,
    ),
  ],
)

/** A trigger refuses every change. */
export const creditNotes = pgTable(
  'credit_notes',
  {
    id: id(),
    organizationId: organizationId(),
    invoiceId: uuid()
      .notNull()
      .references(() => invoices.id, { onDelete: 'cascade' }),
    /** From 1 without gaps in each organization, beside the numbers of invoices. */
    number: integer().notNull(),
    reason: text().notNull(),
    ...amounts(),
    createdBy: uuid(),
    createdAt: isoTimestamp().notNull().default(sql`now()`),
  },
  table => [
    index('credit_notes_invoice_idx').on(table.invoiceId, table.id),
    unique('credit_notes_number_key').on(table.organizationId, table.number),
    check('credit_notes_total_check', sql`total_cents = subtotal_cents + tax_cents and total_cents > 0`),
  ],
)

/** The last numbers that each organization has given out. */
export const invoiceNumbers = pgTable('invoice_numbers', {
  organizationId: organizationId().primaryKey(),
  lastInvoice: integer().notNull().default(0),
  lastCreditNote: integer().notNull().default(0),
})
