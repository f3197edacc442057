import { sql } from 'drizzle-orm'
import { bigint, date, index, integer, pgTable, primaryKey, text, uniqueIndex, uuid } from 'drizzle-orm/pg-core'
import { id, isoTimestamp, timestamps, version } from '../../database/columns.ts'
import { organizations } from '../organizations/tables.ts'

export const chats = pgTable(
  'chats',
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    title: text().notNull(),
    createdBy: uuid(),
    version: version(),
    ...timestamps(),
  },
  table => [index('chats_organization_idx').on(table.organizationId, table.id)],
)

export const chatMessages = pgTable(
  'chat_messages',
  {
    id: id(),
    organizationId: uuid().notNull(),
    chatId: uuid()
      .notNull()
      .references(() => chats.id, { onDelete: 'cascade' }),
    role: text().$type<'user' | 'assistant'>().notNull(),
    /** The user who asked; null for an API key and for an answer. */
    authorId: uuid(),
    /** Empty while the answer is running: its text is in `chat_chunks` until then. */
    content: text().notNull(),
    status: text().$type<'running' | 'complete' | 'stopped' | 'interrupted' | 'failed'>().notNull(),
    model: text(),
    /** Estimated from the characters unless the provider counted. */
    inputTokens: integer(),
    outputTokens: integer(),
    /** Millionths of the currency of the prices. */
    costMicros: bigint({ mode: 'number' }),
    /** Held in the budget of the month while the answer is running. */
    reservedMicros: bigint({ mode: 'number' }).notNull().default(0),
    failureCode: text(),
    failureDetail: text(),
    retryAfterSeconds: integer(),
    /** The process that writes the answer is alive until then; null for what is not running. */
    leaseUntil: isoTimestamp(),
    version: version(),
    ...timestamps(),
  },
  table => [
    index('chat_messages_chat_idx').on(table.chatId, table.id),
    index('chat_messages_organization_idx').on(table.organizationId),
    uniqueIndex('chat_messages_running_key').on(table.chatId).where(sql`status = 'running'`),
    index('chat_messages_lease_idx').on(table.leaseUntil).where(sql`status = 'running'`),
  ],
)

/** The text of running answers, in pieces that are only inserted. Places are UTF-16 code units, as in JavaScript. */
export const chatChunks = pgTable(
  'chat_chunks',
  {
    messageId: uuid()
      .notNull()
      .references(() => chatMessages.id, { onDelete: 'cascade' }),
    start: integer().notNull(),
    finish: integer().notNull(),
    text: text().notNull(),
  },
  table => [primaryKey({ columns: [table.messageId, table.start] })],
)

/** What an organization has used in a month of UTC. */
export const chatUsage = pgTable(
  'chat_usage',
  {
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    month: date().notNull(),
    inputTokens: bigint({ mode: 'number' }).notNull().default(0),
    outputTokens: bigint({ mode: 'number' }).notNull().default(0),
    costMicros: bigint({ mode: 'number' }).notNull().default(0),
    /** The most that the running answers may cost. */
    reservedMicros: bigint({ mode: 'number' }).notNull().default(0),
  },
  table => [primaryKey({ columns: [table.month, table.organizationId] })],
)
