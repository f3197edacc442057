import { sql } from 'drizzle-orm'
import { bigint, check, index, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { cents, id, isoTimestamp, timestamps, version } from '../../../database/columns.ts'

/** A balance is bounded by ±(2^53 − 1), what JSON and JavaScript hold without loss. */
const BOUND = sql.raw(String(Number.MAX_SAFE_INTEGER))

export type Purpose = 'general' | 'payments' | 'provider' | 'fees'

export type Source = 'payment' | 'refund' | 'fee' | 'hold'

export const accounts = pgTable(
  'accounts',
  {
    id: id(),
    organizationId: uuid().notNull(),
    kind: text().$type<'normal' | 'system'>().notNull(),
    currency: text().notNull(),
    /** What the books themselves keep it for; `general` for all that callers open. */
    purpose: text().$type<Purpose>().notNull().default('general'),
    name: text(),
    balanceCents: cents().notNull().default(0),
    /** The sum of the holds that have not ended. */
    heldCents: cents().notNull().default(0),
    /** The number of entries, which is also the `seq` of the last one. */
    entryCount: bigint({ mode: 'number' }).notNull().default(0),
    version: version(),
    ...timestamps(),
  },
  table => [
    index('accounts_organization_idx').on(table.organizationId, table.id),
    uniqueIndex('accounts_system_key')
      .on(table.organizationId, table.currency, table.purpose)
      .where(sql`${table.kind} = 'system'`),
    // The service checks both before; these hold also against a fault in it.
    check('accounts_not_negative', sql`${table.kind} = 'system' or ${table.balanceCents} >= ${table.heldCents}`),
    check('accounts_held', sql`${table.heldCents} >= 0`),
    check('accounts_bounded', sql`${table.balanceCents} between -${BOUND} and ${BOUND}`),
  ],
)

/**
 * Append-only, as `entries`. No foreign keys: each transfer locks both accounts, and a trigger refuses to delete an
 * account.
 */
export const transfers = pgTable(
  'transfers',
  {
    id: id(),
    organizationId: uuid().notNull(),
    fromAccountId: uuid().notNull(),
    toAccountId: uuid().notNull(),
    amountCents: cents().notNull(),
    currency: text().notNull(),
    reference: text(),
    /** The transfer that this one takes back. */
    reversesId: uuid(),
    /** What it follows from, and the id of that; null when a caller made it. */
    source: text().$type<Source>(),
    sourceId: uuid(),
    createdBy: uuid(),
    createdAt: isoTimestamp().notNull().default(sql`now()`),
  },
  table => [
    index('transfers_organization_idx').on(table.organizationId),
    // Reconciliation reads by time. Rows come in that order, so the smallest kind of index is enough.
    index('transfers_created_idx').using('brin', table.createdAt),
    uniqueIndex('transfers_reverses_key').on(table.reversesId).where(sql`${table.reversesId} is not null`),
    uniqueIndex('transfers_source_key').on(table.sourceId, table.source).where(sql`${table.sourceId} is not null`),
    check('transfers_positive', sql`${table.amountCents} > 0`),
  ],
)

export const entries = pgTable(
  'entries',
  {
    accountId: uuid().notNull(),
    /** Counts the entries of the account from 1, without gaps. */
    seq: bigint({ mode: 'number' }).notNull(),
    transferId: uuid().notNull(),
    amountCents: cents().notNull(),
    /** The balance of the account after this entry. */
    balanceCents: cents().notNull(),
    createdAt: isoTimestamp().notNull().default(sql`now()`),
  },
  table => [
    primaryKey({ columns: [table.accountId, table.seq] }),
    index('entries_created_idx').using('brin', table.createdAt),
  ],
)

/** Kept with the books when their organization is deleted. */
export const holds = pgTable(
  'holds',
  {
    id: id(),
    organizationId: uuid().notNull(),
    accountId: uuid().notNull(),
    status: text().$type<'held' | 'captured' | 'released' | 'expired'>().notNull().default('held'),
    amountCents: cents().notNull(),
    capturedCents: cents().notNull().default(0),
    currency: text().notNull(),
    reference: text(),
    expiresAt: isoTimestamp().notNull(),
    createdBy: uuid(),
    version: version(),
    ...timestamps(),
  },
  table => [
    index('holds_account_idx').on(table.accountId, table.id),
    index('holds_organization_idx').on(table.organizationId),
    index('holds_expiring_idx').on(table.expiresAt).where(sql`${table.status} = 'held'`),
    check('holds_captured', sql`${table.capturedCents} between 0 and ${table.amountCents}`),
  ],
)
