import { type Static, Type } from '@sinclair/typebox'
import { Closed, FeedQuery, Id, List, ListQuery, Nullable, StringEnum, Text, Timestamp } from '../../lib/schema.ts'

const event = {
  id: Id,
  type: Type.String({ examples: ['task.created'] }),
  organizationId: Nullable(Id),
  actor: Type.Object({ type: StringEnum(['user', 'api_key', 'system']), id: Nullable(Id) }),
  target: Type.Object({ type: Type.String({ examples: ['task'] }), id: Id }),
  data: Type.Unsafe<unknown>({
    type: 'object',
    additionalProperties: true,
    description: 'The target as it stood after the change, in its wire shape.',
  }),
  createdAt: Timestamp,
}
export const Event = Type.Object(event, { title: 'Event' })
export type Event = Static<typeof Event>
export const EventList = List(Event)

const origin = (description: string) =>
  Type.Optional(Nullable(Type.String(), { description: `${description} Users get it, API keys do not.` }))

/** An event with where it came from, which is about a person: for those who answer for the organization. */
export const AuditEvent = Type.Object(
  {
    ...event,
    address: origin('The address the request came from.'),
    userAgent: origin('The `User-Agent` of the request.'),
    requestId: origin('The `Request-Id` of the request.'),
  },
  { title: 'AuditEvent' },
)
export type AuditEvent = Static<typeof AuditEvent>
export const AuditEventList = List(AuditEvent)

const EventFilters = Type.Object({
  type: Type.Optional(Text(1, 100, { examples: ['task.created'] })),
  actorId: Type.Optional(Id),
  targetId: Type.Optional(Id),
  since: Type.Optional(Timestamp),
  until: Type.Optional(Timestamp),
})
export type EventFilters = Static<typeof EventFilters>

export const EventsQuery = ListQuery(EventFilters.properties, ['createdAt'])

const AllEventFilters = Type.Object({ ...EventFilters.properties, organizationId: Type.Optional(Id) })
export type AllEventFilters = Static<typeof AllEventFilters>
export const AllEventsQuery = ListQuery(AllEventFilters.properties, ['createdAt'])
export const EventFeedQuery = FeedQuery({
  organizationId: Type.Optional({ ...Id, description: 'Required of a user; a key reads its own organization.' }),
  type: Type.Optional(Text(1, 100)),
})

const Resume = Type.String({ maxLength: 1024 })
export const EventStreamQuery = Closed({
  cursor: Type.Optional({
    ...Resume,
    description: 'Begins behind this place: `meta.nextCursor` of the feed, or the `id` of an event. Without it, now.',
  }),
})
/** The name is the standard's, and browsers send it by themselves. */
export const EventStreamHeaders = Type.Object({
  'last-event-id': Type.Optional({
    ...Resume,
    description: 'The `id` of the last event received; goes before `cursor`.',
  }),
})
