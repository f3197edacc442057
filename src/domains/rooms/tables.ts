import { sql } from 'drizzle-orm'
import {
  type AnyPgColumn,
  bigint,
  foreignKey,
  index,
  json,
  pgTable,
  primaryKey,
  text,
  unique,
  uuid,
} from 'drizzle-orm/pg-core'
import { folded, id, isoTimestamp, timestamps, version } from '../../database/columns.ts'
import { members, organizations } from '../organizations/tables.ts'

const sequence = () => bigint({ mode: 'number' }).notNull()

export const rooms = pgTable(
  'rooms',
  {
    id: id(),
    organizationId: uuid()
      .notNull()
      .references(() => organizations.id, { onDelete: 'cascade' }),
    name: text().notNull(),
    description: text(),
    createdBy: uuid(),
    /** The sequence of the newest message. It is no change of the room, so it leaves the version alone. */
    lastSequence: sequence().default(0),
    version: version(),
    ...timestamps(),
  },
  table => [index('rooms_organization_idx').on(table.organizationId, table.id)],
)

/** Who has joined. The row goes with the membership in the organization. */
export const roomMembers = pgTable(
  'room_members',
  {
    roomId: uuid()
      .notNull()
      .references(() => rooms.id, { onDelete: 'cascade' }),
    userId: uuid().notNull(),
    organizationId: uuid().notNull(),
    /** The read marker. */
    lastReadSequence: sequence().default(0),
    version: version(),
    ...timestamps(),
  },
  table => [
    primaryKey({ name: 'room_members_pkey', columns: [table.roomId, table.userId] }),
    foreignKey({
      name: 'room_members_member_fk',
      columns: [table.organizationId, table.userId],
      foreignColumns: [members.organizationId, members.userId],
    }).onDelete('cascade'),
    index('room_members_user_idx').on(table.userId, table.roomId),
    index('room_members_member_idx').on(table.organizationId, table.userId),
  ],
)

export const messages = pgTable(
  'messages',
  {
    id: id(),
    organizationId: uuid().notNull(),
    roomId: uuid()
      .notNull()
      .references(() => rooms.id, { onDelete: 'cascade' }),
    sequence: sequence(),
    /** The author; null for an API key. */
    authorId: uuid(),
    replyToId: uuid().references((): AnyPgColumn => messages.id, { onDelete: 'set null' }),
    /** The id that the client has given it; null where it gave none. */
    clientId: text(),
    body: text().notNull(),
    /** How many have reacted with what, in the order of the first of each: a copy of `message_reactions`. */
    reactions: json().$type<{ emoji: string; count: number }[]>().notNull().default([]),
    editedAt: isoTimestamp(),
    version: version(),
    ...timestamps(),
  },
  table => [
    unique('messages_sequence_key').on(table.roomId, table.sequence),
    unique('messages_client_key').on(table.roomId, table.clientId),
    index('messages_reply_idx').on(table.replyToId),
    index('messages_search_idx').using('gin', sql`to_tsvector('simple', ${folded(table.body)})`),
    index('messages_organization_idx').on(table.organizationId),
  ],
)

export const messageReactions = pgTable(
  'message_reactions',
  {
    messageId: uuid()
      .notNull()
      .references(() => messages.id, { onDelete: 'cascade' }),
    userId: uuid().notNull(),
    emoji: text().notNull(),
    organizationId: uuid().notNull(),
    createdAt: isoTimestamp().notNull().default(sql`now()`),
  },
  table => [
    primaryKey({ name: 'message_reactions_pkey', columns: [table.messageId, table.userId, table.emoji] }),
    index('message_reactions_organization_idx').on(table.organizationId),
  ],
)
