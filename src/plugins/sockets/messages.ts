import { type Static, type TObject, Type } from '@sinclair/typebox'
import { Ajv, type ValidateFunction } from 'ajv'
import { demoId } from '../../lib/demo.ts'
import { Closed, StringEnum } from '../../lib/schema.ts'

const Topic = Type.String({
  pattern: '^[a-z]{1,20}:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
  description: 'The kind and the id of a resource: `organization:<id>`, `project:<id>`, `task:<id>` or `room:<id>`.',
  examples: ['task:01890000-0000-7000-8000-000000000040'],
})
const Cursor = Type.String({
  maxLength: 1024,
  description: 'A position in the topic. It is opaque and valid for topics of the same organization only.',
  examples: ['WyJjZDZrcDgiLCI3OTIiLDM0XQ'],
})
const Uuid = (description: string) =>
  Type.String({
    pattern: '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$',
    description,
    examples: ['01890000-0000-7000-8000-000000000070'],
  })
const Users = (description: string) => Type.Array(Type.String(), { description, examples: [[demoId(1)]] })
const ClientId = Type.String({
  minLength: 1,
  maxLength: 64,
  description: 'The id that the client has given to the message.',
  examples: ['7f9c2a4e-53d1'],
})
const EVENT = {
  id: '01890000-0000-7000-8000-000000000090',
  type: 'task.completed',
  organizationId: '01890000-0000-7000-8000-000000000010',
  actor: { type: 'user', id: '01890000-0000-7000-8000-000000000001' },
  target: { type: 'task', id: '01890000-0000-7000-8000-000000000040' },
  data: { id: '01890000-0000-7000-8000-000000000040', status: 'done' },
  createdAt: '2026-01-05T09:30:00.000Z',
}
const typeOf = <const T extends string>(type: T) => Type.Literal(type, { description: 'The type of the message.' })

/** What a client may send. */
export const clientMessages = {
  subscribe: Closed(
    {
      type: typeOf('subscribe'),
      topic: Topic,
      after: Type.Optional({
        ...Cursor,
        description: 'The last cursor received. Without it, only events from now on are sent.',
      }),
    },
    { description: 'Subscribes to a topic. The answer is `subscribed`, `resync` and then `subscribed`, or `error`.' },
  ),
  unsubscribe: Closed(
    { type: typeOf('unsubscribe'), topic: Topic },
    { description: 'Ends a subscription. The answer is `unsubscribed`; no events of the topic follow it.' },
  ),
  post: Closed(
    {
      type: typeOf('post'),
      topic: Topic,
      clientId: {
        ...ClientId,
        description:
          'A new id by the client, such as a UUID. When no answer came, send the same message again: it is stored once.',
      },
      body: Type.String({
        description: 'The text, as that of `POST /rooms/{id}/messages`.',
        examples: ['Good morning, everybody!'],
      }),
      replyToId: Type.Optional(Uuid('The message of the same room that it answers.')),
    },
    {
      description:
        'Writes a message into a room whose topic the socket has subscribed to. The answer is `posted`, or `error` with the `clientId`.',
    },
  ),
  typing: Closed(
    { type: typeOf('typing'), topic: Topic },
    {
      description:
        'Says that the user writes in a room whose topic the socket has subscribed to. Send it every 3 seconds while that is so. There is no answer.',
    },
  ),
  ping: Closed({ type: typeOf('ping') }, { description: 'Checks the connection. The answer is `pong`.' }),
}

/** What the server sends. */
export const serverMessages = {
  welcome: Closed(
    {
      type: typeOf('welcome'),
      heartbeatMs: Type.Integer({
        description:
          'The interval of the server’s pings in milliseconds. A client that receives nothing for twice this time should reconnect.',
        examples: [15_000],
      }),
    },
    { description: 'The first message on a socket.' },
  ),
  subscribed: Closed(
    { type: typeOf('subscribed'), topic: Topic, cursor: Cursor },
    { description: 'The subscription has begun. The events after `cursor` follow.' },
  ),
  unsubscribed: Closed({ type: typeOf('unsubscribed'), topic: Topic }, { description: 'The subscription has ended.' }),
  event: Closed(
    {
      type: typeOf('event'),
      topic: Topic,
      cursor: Cursor,
      event: Type.Object(
        {
          id: Type.String({ description: 'The id of the event.' }),
          type: Type.String({ description: 'What happened to the target.' }),
        },
        {
          additionalProperties: true,
          description: 'An `Event`, as in `GET /events`.',
          examples: [EVENT],
        },
      ),
    },
    { description: 'An event of the topic, in the order of the log. Resume with its `cursor`.' },
  ),
  posted: Closed(
    {
      type: typeOf('posted'),
      topic: Topic,
      clientId: ClientId,
      id: Uuid('The id of the message.'),
      sequence: Type.Integer({ description: 'Its number in the room.', examples: [3] }),
    },
    { description: 'A message is stored. Its event comes, or has come, on the topic as to everybody.' },
  ),
  presence: Closed(
    {
      type: typeOf('presence'),
      topic: Topic,
      present: Users('Users who follow the room now.'),
      absent: Users('Users who no longer do.'),
    },
    {
      description:
        'Who is there has changed; the first one after `subscribed` names all. It is not stored, and a user whose process dies is absent after 25 seconds.',
    },
  ),
  user_typing: Closed(
    { type: typeOf('user_typing'), topic: Topic, userId: Uuid('The user.') },
    { description: 'Another user writes. Forget it after 6 seconds, or with the next message of the user.' },
  ),
  resync: Closed(
    {
      type: typeOf('resync'),
      topic: Topic,
      reason: StringEnum(['cursor_unknown', 'cursor_expired', 'too_old'], {
        description:
          '`cursor_unknown`: the cursor is not valid for this topic. `cursor_expired`: events that follow it may be deleted. `too_old`: too many events of the organization follow it.',
      }),
    },
    { description: 'Missed events are not sent. Read the current state again after the next `subscribed`.' },
  ),
  error: Closed(
    {
      type: typeOf('error'),
      code: Type.String({
        description:
          'The code of the error, for example `not_found`, `forbidden`, `too_many_topics` or `not_subscribed`.',
        examples: ['not_found'],
      }),
      topic: Topic,
      clientId: Type.Optional(ClientId),
      detail: Type.String({
        description: 'An explanation for people; programs use `code`.',
        examples: ['Not found'],
      }),
    },
    { description: 'A message was refused. The socket stays open.' },
  ),
  pong: Closed({ type: typeOf('pong') }, { description: 'The answer to `ping`.' }),
}

type Messages<M extends Record<string, TObject>> = Static<M[keyof M]>
export type ClientMessage = Messages<typeof clientMessages>
export type ServerMessage = Messages<typeof serverMessages>

const ajv = new Ajv()
const compiled = (messages: Record<string, TObject>) =>
  new Map<unknown, ValidateFunction>(Object.entries(messages).map(([type, schema]) => [type, ajv.compile(schema)]))

const isOneOf = (checks: ReturnType<typeof compiled>, message: unknown): boolean =>
  checks.get((message as { type?: unknown } | null | undefined)?.type)?.(message) === true

const fromClients = compiled(clientMessages)
const fromServers = compiled(serverMessages)

/** Parses a message of a client; returns undefined if it is not valid. */
export function readMessage(text: string): ClientMessage | undefined {
  const message = parse(text)
  return isOneOf(fromClients, message) ? (message as ClientMessage) : undefined
}

export const isServerMessage = (message: unknown): message is ServerMessage => isOneOf(fromServers, message)

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
