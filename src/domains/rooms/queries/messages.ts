import { eq, sql } from 'drizzle-orm'
import { folded } from '../../../database/columns.ts'
import { defineList } from '../../../database/list.ts'
import { one, type Params, statement } from '../../../database/statement.ts'
import { touched, versionMatches } from '../../../database/versions.ts'
import { Message } from '../schemas.ts'
import { messageReactions, messages, rooms } from '../tables.ts'

export type MessageRow = Message & { version: number }

const columns = sql`m.id, m.organization_id, m.room_id, m.sequence, m.author_id, m.reply_to_id, m.client_id, m.body,
  m.reactions, m.edited_at, m.version, m.created_at, m.updated_at`

interface NewMessage {
  id: string
  organizationId: string
  roomId: string
  authorId: string | null
  replyToId: string | null
  clientId: string | null
  body: string
}

/**
 * Inserts the next message of a room, or returns the one that has its `clientId`. `reply_to_id` is null where the
 * room has no such message; a message that it answers is locked, so that it is not deleted meanwhile.
 */
export const insertMessage = one(
  statement(
    'messages.insert',
    (_, $: Params<NewMessage>) => sql<MessageRow & { isNew: boolean }>`
      with known as (
        select ${columns} from ${messages} m where m.room_id = ${$.roomId} and m.client_id = ${$.clientId}::text),
      answered as (
        select a.id from ${messages} a where a.id = ${$.replyToId}::uuid and a.room_id = ${$.roomId} for key share),
      next as (
        update ${rooms} r set last_sequence = last_sequence + 1
        where r.id = ${$.roomId} and not exists (select from known) returning last_sequence),
      made as (
        insert into ${messages} as m (id, organization_id, room_id, sequence, author_id, reply_to_id, client_id, body)
        select ${$.id}::uuid, ${$.organizationId}::uuid, ${$.roomId}::uuid, next.last_sequence, ${$.authorId}::uuid,
          (select id from answered), ${$.clientId}::text, ${$.body} from next returning ${columns})
      select *, false as is_new from known union all select *, true from made`,
  ),
)

export const findMessage = one(
  statement('messages.find', (db, $: Params<{ id: string }>) =>
    db.select().from(messages).where(eq(messages.id, $.id)),
  ),
)

/** Locks the message until the commit. */
export const lockMessage = one(
  statement('messages.lock', (db, $: Params<{ id: string }>) =>
    db.select().from(messages).where(eq(messages.id, $.id)).for('update'),
  ),
)

type Key = { id: string; ifMatch: number[] | null }

export const updateMessageRow = one(
  statement('messages.update', (db, $: Params<Key & { body: string }>) =>
    db
      .update(messages)
      .set({ body: sql`${$.body}`, editedAt: sql`now()`, ...touched(messages) })
      .where(sql`${messages.id} = ${$.id} and ${versionMatches(messages.version, $.ifMatch)}`)
      .returning(),
  ),
)

export const deleteMessageRow = one(
  statement('messages.delete', (db, $: Params<Key>) =>
    db
      .delete(messages)
      .where(sql`${messages.id} = ${$.id} and ${versionMatches(messages.version, $.ifMatch)}`)
      .returning(),
  ),
)

interface ReactionKey {
  messageId: string
  userId: string
  emoji: string
}

/** Returns nothing when the user has reacted so already. */
export const insertReaction = one(
  statement(
    'message_reactions.insert',
    (_, $: Params<ReactionKey & { organizationId: string }>) => sql<{ emoji: string }>`
      insert into ${messageReactions} (message_id, user_id, emoji, organization_id)
      values (${$.messageId}, ${$.userId}, ${$.emoji}, ${$.organizationId}) on conflict do nothing returning emoji`,
  ),
)

export const deleteReaction = one(
  statement(
    'message_reactions.delete',
    (_, $: Params<ReactionKey>) => sql<{ emoji: string }>`
      delete from ${messageReactions}
      where message_id = ${$.messageId} and user_id = ${$.userId} and emoji = ${$.emoji} returning emoji`,
  ),
)

/** Counts the reactions of a locked message again. */
export const countReactions = one(
  statement(
    'messages.count_reactions',
    (_, $: Params<{ id: string }>) => sql<MessageRow>`
      update ${messages} m set version = m.version + 1, updated_at = now(), reactions = coalesce((
        select json_agg(json_build_object('emoji', c.emoji, 'count', c.count) order by c.first, c.emoji) from (
          select emoji, count(*) as count, min(created_at) as first
          from ${messageReactions} where message_id = m.id group by emoji) c), '[]')
      where m.id = ${$.id} returning ${columns}`,
  ),
)

const bySequence = { on: sql`m.sequence`, key: 'sequence', type: 'bigint' } as const

export const listMessages = defineList<Message, { roomId: string }, { sequenceAfter?: number; search?: string }>({
  name: 'messages.list',
  item: Message,
  columns,
  from: sql`${messages} m`,
  where: $ => sql`m.room_id = ${$.roomId}`,
  id: bySequence,
  sorts: { sequence: bySequence },
  defaultSort: '-sequence',
  filters: {
    sequenceAfter: $ => sql`m.sequence > ${$.sequenceAfter}::bigint`,
    search: $ =>
      sql`to_tsvector('simple', ${folded(sql`m.body`)}) @@ websearch_to_tsquery('simple', ${folded(sql`${$.search}::text`)})`,
  },
})
