import { type Static, Type } from '@sinclair/typebox'
import { FeedQuery, Id, List, ListQuery, Nullable, StringEnum, Text, Timestamp } from '../../lib/schema.ts'

export const Event = Type.Object(
  {
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
  },
  { title: 'Event' },
)
export type Event = Static<typeof Event>
export const EventList = List(Event)

const EventFilters = Type.Object({
  type: Type.Optional(Text(1, 100, { examples: ['task.created'] })),
  actorId: Type.Optional(Id),
  targetId: Type.Optional(Id),
  since: Type.Optional(Timestamp),
  until: Type.Optional(Timestamp),
})
export type EventFilters = Static<typeof EventFilters>

export const EventsQuery = ListQuery(EventFilters.properties, ['createdAt'])
export const EventFeedQuery = FeedQuery({
  organizationId: Type.Optional({ ...Id, description: 'Required of a user; a key reads its own organization.' }),
  type: Type.Optional(Text(1, 100)),
})
