import { type Static, Type } from '@sinclair/typebox'
import { Closed, Id, List, ListQuery, Nullable, Patch, Text, Timestamp, VisibleText } from '../../lib/schema.ts'
import { UserName } from '../users/schemas.ts'

const Name = VisibleText(100, { description: 'What the room is called.', examples: ['General'] })
const Description = Nullable(Text(0, 1_000), {
  description: 'What the room is for; null for nothing said.',
  examples: ['For everybody'],
})

export const Room = Type.Object(
  {
    id: Id,
    organizationId: Id,
    name: Name,
    description: Description,
    createdBy: Nullable(Id, { description: 'The user who created it; null where an API key did.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Room', description: 'A place where members of an organization write to each other.' },
)
export type Room = Static<typeof Room>

export const CreateRoom = Closed(
  { name: Name, description: Type.Optional(Description) },
  { title: 'CreateRoom', examples: [{ name: 'General', description: 'For everybody' }] },
)
export type CreateRoom = Static<typeof CreateRoom>
export const UpdateRoom = Patch(Closed({ name: Name, description: Description }), {
  title: 'UpdateRoom',
  examples: [{ name: 'Everybody' }],
})
export const RoomsQuery = ListQuery({ search: Type.Optional(Text(1, 200, { description: 'Part of the name.' })) }, [
  'createdAt',
])

const Sequence = (description: string) =>
  Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description, examples: [2] })
const LastRead = Sequence('The read marker: the sequence of the newest message that the user has read.')

export const RoomMember = Type.Object(
  {
    roomId: Id,
    userId: Id,
    organizationId: Id,
    name: UserName,
    lastReadSequence: LastRead,
    createdAt: { ...Timestamp, description: 'When the user joined.' },
    updatedAt: Timestamp,
  },
  { title: 'RoomMember', description: 'A user who has joined a room.' },
)
export type RoomMember = Static<typeof RoomMember>
export const RoomMemberList = List(RoomMember)
export const RoomMembersQuery = ListQuery({}, ['createdAt'])

/** Counting on would make a list slower for those who read little, and a badge shows no more. */
export const MAX_UNREAD = 100

export const JoinedRoom = Type.Object(
  {
    roomId: Id,
    organizationId: Id,
    name: Name,
    lastSequence: Sequence('The sequence of the newest message; 0 while there is none.'),
    lastReadSequence: LastRead,
    unreadCount: Type.Integer({
      minimum: 0,
      maximum: MAX_UNREAD,
      description: `Messages of others after the read marker; ${MAX_UNREAD} stands for as many or more.`,
      examples: [1],
    }),
    createdAt: { ...Timestamp, description: 'When the user joined.' },
  },
  { title: 'JoinedRoom', description: 'A room that the user has joined, and what is unread in it.' },
)
export type JoinedRoom = Static<typeof JoinedRoom>
export const JoinedRoomList = List(JoinedRoom)
export const JoinedRoomsQuery = ListQuery(
  { organizationId: Type.Optional({ ...Id, description: 'Only rooms of this organization.' }) },
  ['createdAt'],
)

export const MarkRead = Closed(
  {
    sequence: Sequence('The sequence of the newest message that was read. A smaller one than before changes nothing.'),
  },
  { title: 'MarkRead', examples: [{ sequence: 2 }] },
)

const Body = VisibleText(4_000, {
  description: 'The text, in Markdown or plain.',
  examples: ['Good morning, everybody!'],
})
const Emoji = VisibleText(32, { description: 'An emoji or a short word.', examples: ['👍'] })
const ReplyTo = Nullable(Id, { description: 'The message of the same room that it answers; null for none.' })

/** No UUID by its type: it names no row. */
const ClientId = Type.String({
  minLength: 1,
  maxLength: 64,
  pattern: '^[A-Za-z0-9_-]+$',
  examples: ['7f9c2a4e-53d1'],
})

export const Message = Type.Object(
  {
    id: Id,
    organizationId: Id,
    roomId: Id,
    sequence: Sequence('Its number in the room: order messages by it. Numbers of deleted messages are missing.'),
    authorId: Nullable(Id, { description: 'The user who wrote it; null where an API key did.' }),
    replyToId: ReplyTo,
    clientId: Nullable(ClientId, { description: 'The id that the client gave it; null where it gave none.' }),
    body: Body,
    reactions: Type.Array(
      Type.Object({
        emoji: Emoji,
        count: Type.Integer({ minimum: 1, description: 'How many users have reacted with it.', examples: [1] }),
      }),
      { description: 'What users have reacted with.', examples: [[{ emoji: '👍', count: 1 }]] },
    ),
    editedAt: Nullable(Timestamp, { description: 'When the text was last changed; null for never.', examples: [null] }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Message', description: 'What somebody has written into a room.' },
)
export type Message = Static<typeof Message>

export const CreateMessage = Closed(
  {
    body: Body,
    replyToId: Type.Optional(ReplyTo),
    clientId: Type.Optional({
      ...ClientId,
      description:
        'A new id by the client, such as a UUID, so that the message can be sent again when no answer came: the same id is stored once, also by the socket.',
    }),
  },
  { title: 'CreateMessage', examples: [{ body: 'Good morning, everybody!' }] },
)
export type CreateMessage = Static<typeof CreateMessage>
export const UpdateMessage = Closed({ body: Body }, { title: 'UpdateMessage', examples: [{ body: 'Good evening!' }] })
export const Reaction = Closed({ reaction: Emoji }, { title: 'Reaction', examples: [{ reaction: '👍' }] })

export const MessageList = List(Message)
export const MessagesQuery = ListQuery(
  {
    sequenceAfter: Type.Optional(Sequence('Only messages with a greater sequence.')),
    search: Type.Optional(Text(1, 200, { description: 'Words of the text.' })),
  },
  ['sequence'],
)
