import { type Static, type TObject, Type } from '@sinclair/typebox'
import { Ajv, type ValidateFunction } from 'ajv'
import { Closed, StringEnum } from '../../lib/schema.ts'

const Topic = Type.String({
  pattern: '^[a-z]{1,20}:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$',
  description: 'A kind and the id of the thing: `organization:…`, `project:…`, `task:…`.',
  examples: ['task:01890000-0000-7000-8000-000000000040'],
})
const Cursor = Type.String({
  maxLength: 1024,
  description: 'A place in the topic: opaque, and good for it alone.',
})
const of = <const T extends string>(type: T) => Type.Literal(type, { description: 'Says which message it is.' })

/** What a client may send. */
export const clientMessages = {
  subscribe: Closed(
    {
      type: of('subscribe'),
      topic: Topic,
      after: Type.Optional({ ...Cursor, description: 'The last cursor seen; without it, what happens from now on.' }),
    },
    { description: 'Asks for the events of a topic. Answered by `subscribed`, `resync` or `error`.' },
  ),
  unsubscribe: Closed(
    { type: of('unsubscribe'), topic: Topic },
    { description: 'Wants no more of a topic. Answered by `unsubscribed`, after which nothing of it comes.' },
  ),
  ping: Closed({ type: of('ping') }, { description: 'Asks whether the connection lives. Answered by `pong`.' }),
}

/** What the server sends. */
export const serverMessages = {
  welcome: Closed(
    {
      type: of('welcome'),
      heartbeatMs: Type.Integer({
        description: 'How often the server pings; a client that hears nothing for twice as long comes back.',
      }),
    },
    { description: 'The first message.' },
  ),
  subscribed: Closed(
    { type: of('subscribed'), topic: Topic, cursor: Cursor },
    { description: 'From here on the events of the topic come: those behind `cursor`.' },
  ),
  unsubscribed: Closed({ type: of('unsubscribed'), topic: Topic }, { description: 'No more of the topic comes.' }),
  event: Closed(
    {
      type: of('event'),
      topic: Topic,
      cursor: Cursor,
      event: Type.Object(
        { id: Type.String(), type: Type.String() },
        { additionalProperties: true, description: 'An `Event`, as `GET /events` has it.' },
      ),
    },
    { description: 'Something happened. In the order of the log; `cursor` is what to resume from.' },
  ),
  resync: Closed(
    {
      type: of('resync'),
      topic: Topic,
      reason: StringEnum(['cursor_unknown', 'too_old'], {
        description: 'The cursor is none of this topic, or too much happened since.',
      }),
    },
    { description: 'What was missed is not sent. Read the state anew, after the `subscribed` that follows.' },
  ),
  error: Closed(
    {
      type: of('error'),
      code: Type.String({ description: 'As in problems: `not_found`, `forbidden`, `too_many_topics`.' }),
      topic: Topic,
      detail: Type.String({ description: 'For people.' }),
    },
    { description: 'A message was refused; the socket goes on.' },
  ),
  pong: Closed({ type: of('pong') }, { description: 'The answer to `ping`.' }),
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

/** The message in a text; undefined where it is none. */
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
