import { type Static, Type } from '@sinclair/typebox'
import {
  Closed,
  Id,
  List,
  ListQuery,
  Nullable,
  Patch,
  StringEnum,
  Text,
  Timestamp,
  VisibleText,
} from '../../lib/schema.ts'

const Title = VisibleText(200, { description: 'What the chat is about, in a line.', examples: ['Release notes'] })

export const Chat = Type.Object(
  {
    id: Id,
    organizationId: Id,
    title: Title,
    createdBy: Nullable(Id, { description: 'The user who began it; null where an API key did.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Chat', description: 'A conversation with the assistant. All members of the organization can read it.' },
)
export type Chat = Static<typeof Chat>

export const CreateChat = Closed({ title: Title }, { title: 'CreateChat', examples: [{ title: 'Release notes' }] })
export const UpdateChat = Patch(Closed({ title: Title }), {
  title: 'UpdateChat',
  examples: [{ title: 'Release notes of May' }],
})
export const ChatsQuery = ListQuery({ search: Type.Optional(Text(1, 200, { description: 'Part of the title.' })) }, [
  'createdAt',
])

const Status = StringEnum(['running', 'complete', 'stopped', 'interrupted', 'failed'], {
  description:
    'An answer is `running` until it is `complete`, `stopped` by somebody, `interrupted` with the process that wrote it, or `failed` at the provider. Its text up to then is kept. A question is `complete`.',
})
const tokens = (description: string) => Nullable(Type.Integer({ minimum: 0 }), { description, examples: [12] })

export const ChatMessage = Type.Object(
  {
    id: Id,
    organizationId: Id,
    chatId: Id,
    role: StringEnum(['user', 'assistant'], { description: 'Who says it.' }),
    authorId: Nullable(Id, { description: 'The user who asked; null for an API key and for an answer.' }),
    content: Type.String({
      description: 'The text; of a running answer, as much as there is.',
      examples: ['Write the release notes in one sentence.'],
    }),
    status: Status,
    model: Nullable(Type.String(), { description: 'The model that answers; null for a question.', examples: ['echo'] }),
    inputTokens: tokens('Tokens that the provider read, estimated where it does not say; null for a question.'),
    outputTokens: tokens('Tokens that it wrote, estimated where it does not say; null for a question.'),
    costMicros: Nullable(Type.Integer({ minimum: 0 }), {
      description: 'What the answer cost, in millionths of the currency; null for a question and while it is running.',
      examples: [3150],
    }),
    failureCode: Nullable(Type.String(), {
      description: 'Why an answer is interrupted or failed: the code of an error; null for every other message.',
      examples: [null],
    }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'ChatMessage', description: 'A question to the assistant, or its answer.' },
)
export type ChatMessage = Static<typeof ChatMessage>

export const AskChat = Closed(
  {
    content: VisibleText(20_000, {
      description: 'The question.',
      examples: ['Write the release notes in one sentence.'],
    }),
  },
  { title: 'AskChat', examples: [{ content: 'Write the release notes in one sentence.' }] },
)

export const ChatMessageList = List(ChatMessage)
export const ChatMessagesQuery = ListQuery({}, ['createdAt'])

export const ChatStreamHeaders = Type.Object({
  'last-event-id': Type.Optional(
    Type.String({
      maxLength: 64,
      description: 'The `id` of the last event that was received: the stream goes on after it.',
    }),
  ),
})
