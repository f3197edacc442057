import { type Static, Type } from '@sinclair/typebox'
import { Closed, Id, List, ListQuery, Nullable, StringEnum, Text, Timestamp } from '../../../lib/schema.ts'

const DELIVERY_STATES = ['pending', 'delivered', 'failed', 'cancelled'] as const

const State = StringEnum(DELIVERY_STATES, {
  description:
    '`pending`: an attempt is to come. `delivered`: answered with 2xx. `failed`: the last attempt failed too. `cancelled`: the webhook was disabled before.',
})

const Attempt = Type.Object(
  {
    at: { ...Timestamp, description: 'When it began.' },
    status: Nullable(Type.Integer(), {
      description: 'The status of the answer; null where there was none.',
      examples: [200],
    }),
    durationMs: Type.Integer({
      description: 'Milliseconds until the answer was read, or until it failed.',
      examples: [84],
    }),
    error: Nullable(Type.String(), {
      description: 'Why there was no answer; null where there was one.',
      examples: [null],
    }),
    answer: Nullable(Type.String(), {
      description: 'The beginning of the answer’s body, at most 1,000 characters; null where there was none.',
      examples: ['ok'],
    }),
  },
  { title: 'DeliveryAttempt', description: 'One request to the endpoint.' },
)

const delivery = {
  id: Id,
  organizationId: Id,
  webhookId: { ...Id, description: 'The webhook it goes to.' },
  eventId: { ...Id, description: 'The event that is sent; the header `webhook-id`, the same for every attempt.' },
  eventType: Type.String({ description: 'The type of the event.', examples: ['task.created'] }),
  state: State,
  nextAttemptAt: Nullable(Timestamp, { description: 'When the next attempt is due; null for none.', examples: [null] }),
  attemptCount: Type.Integer({ description: 'Attempts since it was first sent, or last sent again.', examples: [1] }),
  attempts: Type.Array(Attempt, { description: 'The last attempts, the oldest first.' }),
  settledAt: Nullable(Timestamp, { description: 'When it was delivered, given up or cancelled; null while pending.' }),
  createdAt: Timestamp,
  updatedAt: Timestamp,
}
export const Delivery = Type.Object(delivery, {
  title: 'Delivery',
  description: 'One event for one webhook, and the attempts to send it.',
})
export type Delivery = Static<typeof Delivery>

/** Without the attempts: what an endpoint answered is for those who read its log. */
export const DeliveryReference = Type.Pick(Delivery, ['id', 'organizationId', 'webhookId', 'eventId', 'eventType'], {
  title: 'DeliveryReference',
})

const DeliveryFilters = Type.Object({
  state: Type.Optional({ ...State, description: 'Only deliveries in this state.' }),
  eventType: Type.Optional(Text(1, 100, { description: 'Only events of this type, such as `task.created`.' })),
  eventId: Type.Optional({ ...Id, description: 'Only the delivery of this event.' }),
})
export type DeliveryFilters = Static<typeof DeliveryFilters>

export const DeliveryList = List(Delivery)
export const DeliveriesQuery = ListQuery(DeliveryFilters.properties, ['createdAt'])

export const RecoverWebhook = Closed(
  { since: { ...Timestamp, description: 'Events that happened at this time or later are sent.' } },
  { title: 'RecoverWebhook', examples: [{ since: '2026-01-31T12:00:00.000Z' }] },
)
export const Recovery = Type.Object(
  {
    recovered: Type.Integer({ description: 'How many deliveries were made pending by this call.', examples: [12] }),
    hasMore: Type.Boolean({ description: 'Whether more are left: then call again with the same time.' }),
  },
  { title: 'Recovery', description: 'What is sent again.' },
)
