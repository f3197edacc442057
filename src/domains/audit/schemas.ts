import { type Static, Type } from '@sinclair/typebox'
import { demoId } from '../../lib/demo.ts'
import { Closed, FeedQuery, Id, List, ListQuery, Nullable, StringEnum, Text, Timestamp } from '../../lib/schema.ts'

const DEMO_TASK = demoId(40)

const event = {
  id: Id,
  type: Type.String({ description: 'What happened to the target.', examples: ['task.created'] }),
  organizationId: Nullable(Id, { description: 'Where it happened; null for what belongs to no organization.' }),
  actor: Type.Object(
    {
      type: StringEnum(['user', 'api_key', 'system'], {
        description: 'A person, a program with a key, or the service itself.',
      }),
      id: Nullable(Id, { description: 'The id of the user or the key; null for the service itself.' }),
    },
    { description: 'Who did it.' },
  ),
  target: Type.Object(
    {
      type: Type.String({ description: 'What kind of thing it is.', examples: ['task'] }),
      id: { ...Id, description: 'The id of the thing.', examples: [DEMO_TASK] },
    },
    { description: 'What it happened to.' },
  ),
  data: Type.Unsafe<unknown>({
    type: 'object',
    additionalProperties: true,
    description: 'The target as it stood after the change, in its wire shape.',
    examples: [{ id: DEMO_TASK, title: 'Write the release notes' }],
  }),
  createdAt: Timestamp,
}
export const Event = Type.Object(event, { title: 'Event', description: 'A recorded change.' })
export type Event = Static<typeof Event>
export const EventList = List(Event)

const origin = (description: string, example: string) =>
  Type.Optional(
    Nullable(Type.String(), { description: `${description} Users get it, API keys do not.`, examples: [example] }),
  )

/**
 * An event with its origin. The origin is personal data, so only those who are responsible for the organization get it.
 */
export const AuditEvent = Type.Object(
  {
    ...event,
    address: origin('The address the request came from; null where there was none.', '203.0.113.7'),
    userAgent: origin('The `User-Agent` of the request; null where there was none.', 'curl/8.5.0'),
    requestId: origin('The `Request-Id` of the request; null where there was none.', demoId(99)),
  },
  { title: 'AuditEvent', description: 'A recorded change, with where it came from.' },
)
export type AuditEvent = Static<typeof AuditEvent>
export const AuditEventList = List(AuditEvent)

const EventTypeName = Text(1, 100, { description: 'Only events of this type, such as `task.created`.' })

const EventFilters = Type.Object({
  type: Type.Optional(EventTypeName),
  actorId: Type.Optional({ ...Id, description: 'Only what this user or key did.' }),
  targetId: Type.Optional({ ...Id, description: 'Only what happened to this thing.' }),
  since: Type.Optional({ ...Timestamp, description: 'Only what happened at this time or later.' }),
  until: Type.Optional({ ...Timestamp, description: 'Only what happened before this time.' }),
})
export type EventFilters = Static<typeof EventFilters>

export const EventsQuery = ListQuery(EventFilters.properties, ['createdAt'])

const AllEventFilters = Type.Object({
  ...EventFilters.properties,
  organizationId: Type.Optional({ ...Id, description: 'Only what happened in this organization.' }),
})
export type AllEventFilters = Static<typeof AllEventFilters>
export const AllEventsQuery = ListQuery(AllEventFilters.properties, ['createdAt'])
export const EventFeedQuery = FeedQuery({
  organizationId: Type.Optional({ ...Id, description: 'Required of a user; a key reads its own organization.' }),
  type: Type.Optional(EventTypeName),
})

const Resume = Type.String({ maxLength: 1024 })
export const EventStreamQuery = Closed({
  cursor: Type.Optional({
    ...Resume,
    description: 'Begins behind this place: `meta.nextCursor` of the feed, or the `id` of an event. Without it, now.',
  }),
})
/** Browsers send this header by themselves when an `EventSource` reconnects. */
export const EventStreamHeaders = Type.Object({
  'last-event-id': Type.Optional({
    ...Resume,
    description: 'The `id` of the last event received; goes before `cursor`.',
  }),
})

export const Ticket = Type.Object(
  {
    ticket: Type.String({
      description: 'For `GET /realtime?ticket=…`, once.',
      examples: ['nR3w8mXk0cVt5bQz7yLd2fHs9jPg4aUe1oIuYtReWqA'],
    }),
    expiresAt: { ...Timestamp, description: 'Until when it opens one.' },
  },
  { title: 'Ticket', description: 'Opens one socket.' },
)
export type Ticket = Static<typeof Ticket>
export const RealtimeQuery = Closed({
  ticket: Type.String({
    minLength: 1,
    maxLength: 128,
    pattern: '^[A-Za-z0-9_-]+$',
    description: 'Of `POST /realtime/ticket`.',
  }),
})
export type RealtimeQuery = Static<typeof RealtimeQuery>
