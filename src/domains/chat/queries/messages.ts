import { sql } from 'drizzle-orm'
import { defineList } from '../../../database/list.ts'
import { one, type Params, statement } from '../../../database/statement.ts'
import type { Turn } from '../../../lib/ai-provider.ts'
import { ChatMessage } from '../schemas.ts'
import { chatChunks, chatMessages } from '../tables.ts'

export type MessageRow = ChatMessage & { version: number }

/** The text of the running answer `m` as far as it is stored. */
export const chunksOf = (id = sql`m.id`) =>
  sql`coalesce((select string_agg(c.text, '' order by c.start) from ${chatChunks} c where c.message_id = ${id}), '')`

export const messageColumns = sql`m.id, m.organization_id, m.chat_id, m.role, m.author_id,
  case m.status when 'running' then ${chunksOf()} else m.content end as content,
  m.status, m.model, m.input_tokens, m.output_tokens, m.cost_micros, m.failure_code, m.version, m.created_at, m.updated_at`

const byId = { on: sql`m.id`, key: 'id', type: 'uuid' } as const

export const listChatMessages = defineList<ChatMessage, { chatId: string }, object>({
  name: 'chat_messages.list',
  item: ChatMessage,
  columns: messageColumns,
  from: sql`${chatMessages} m`,
  where: $ => sql`m.chat_id = ${$.chatId}`,
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
})

interface Failure {
  failureDetail: string | null
  retryAfterSeconds: number | null
}

export const findMessage = one(
  statement(
    'chat_messages.find',
    (_, $: Params<{ id: string; chatId: string }>) => sql<MessageRow & Failure>`
      select ${messageColumns}, m.failure_detail, m.retry_after_seconds
      from ${chatMessages} m where m.id = ${$.id} and m.chat_id = ${$.chatId}`,
  ),
)

export const findRunning = one(
  statement(
    'chat_messages.find_running',
    (_, $: Params<{ chatId: string }>) => sql<{ id: string; expired: boolean }>`
      select id, lease_until < now() as expired from ${chatMessages} where chat_id = ${$.chatId} and status = 'running'`,
  ),
)

/** Returns the chat of a running answer. */
export const findAnswerToWrite = one(
  statement(
    'chat_messages.to_write',
    (_, $: Params<{ id: string }>) => sql<{ chatId: string }>`
      select chat_id from ${chatMessages} where id = ${$.id} and status = 'running'`,
  ),
)

type NewQuestion = Pick<ChatMessage, 'id' | 'organizationId' | 'chatId' | 'authorId' | 'content'>

export const insertQuestion = one(
  statement(
    'chat_messages.insert_question',
    (_, $: Params<NewQuestion>) => sql<MessageRow>`
      insert into ${chatMessages} as m (id, organization_id, chat_id, role, author_id, content, status)
      values (${$.id}, ${$.organizationId}, ${$.chatId}, 'user', ${$.authorId}, ${$.content}, 'complete')
      returning ${messageColumns}`,
  ),
)

interface NewAnswer extends Pick<ChatMessage, 'id' | 'organizationId' | 'chatId' | 'model' | 'inputTokens'> {
  reservedMicros: number
  leaseMs: number
}

/** Violates `chat_messages_running_key` while the chat has a running answer. */
export const insertAnswer = one(
  statement(
    'chat_messages.insert_answer',
    (_, $: Params<NewAnswer>) => sql<MessageRow>`
      insert into ${chatMessages} as m
        (id, organization_id, chat_id, role, content, status, model, input_tokens, reserved_micros, lease_until)
      values (${$.id}, ${$.organizationId}, ${$.chatId}, 'assistant', '', 'running', ${$.model}, ${$.inputTokens},
        ${$.reservedMicros}, now() + make_interval(secs => ${$.leaseMs}::int / 1000.0))
      returning ${messageColumns}`,
  ),
)

/** Lists what was said before the answer `before`, the newest first. */
export const listTurns = statement(
  'chat_messages.turns',
  (_, $: Params<{ chatId: string; before: string; most: number }>) => sql<Turn>`
    select m.role, m.content from ${chatMessages} m
    where m.chat_id = ${$.chatId} and m.id < ${$.before} and m.content <> '' order by m.id desc limit ${$.most}`,
)
