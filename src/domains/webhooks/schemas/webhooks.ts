import { type Static, Type } from '@sinclair/typebox'
import { demoWebhookSecret } from '../../../lib/demo.ts'
import { eventFilters } from '../../../lib/event-filters.ts'
import { Closed, Id, List, ListQuery, Nullable, Patch, StringEnum, Text, Timestamp } from '../../../lib/schema.ts'

const MAX_URL = 2_048

const Url = Type.String({
  pattern: '^[Hh][Tt][Tt][Pp][Ss]?://',
  maxLength: MAX_URL,
  description: 'Where events are sent: an https URL of a public host on an ordinary port, without credentials.',
  examples: ['https://example.com/hooks/lintel'],
})
const EventTypes = Type.Array(Type.Unsafe<string>({ type: 'string', enum: eventFilters }), {
  minItems: 1,
  uniqueItems: true,
  description: 'What is sent: types of events, `task.*` for all that happens to tasks, or `*` for everything.',
  examples: [['task.*', 'comment.created']],
})
const Description = Nullable(Text(1, 500), {
  description: 'What the endpoint is for; null for nothing said.',
  examples: ['Mirrors tasks to the ticket system'],
})
const Enabled = Type.Boolean({ description: 'Whether events are sent to it.', examples: [true] })

/** `manual`: by a caller. `gone`: it answered 410. `exhausted`: a delivery failed to the last attempt. */
export const DISABLED_REASONS = ['manual', 'gone', 'exhausted'] as const
export type DisabledReason = (typeof DISABLED_REASONS)[number]

const webhook = {
  id: Id,
  organizationId: Id,
  url: Url,
  eventTypes: EventTypes,
  description: Description,
  enabled: Enabled,
  disabledAt: Nullable(Timestamp, { description: 'Since when nothing is sent; null while enabled.', examples: [null] }),
  disabledReason: Nullable(StringEnum(DISABLED_REASONS), {
    description: '`manual`: by a caller. `gone`: it answered 410. `exhausted`: a delivery failed to the last attempt.',
    examples: [null],
  }),
  previousSecretExpiresAt: Nullable(Timestamp, {
    description: 'Until then the secret before the last rotation signs too; null where there is none.',
    examples: [null],
  }),
  createdBy: Nullable(Id, { description: 'The user who created it; null where an API key did.' }),
  createdAt: Timestamp,
  updatedAt: Timestamp,
}
export const Webhook = Type.Object(webhook, {
  title: 'Webhook',
  description: 'An endpoint of a partner that is told what happens in an organization.',
})
export type Webhook = Static<typeof Webhook>

export const NewWebhook = Type.Object(
  {
    ...webhook,
    secret: Type.String({
      description: 'Signs what is sent to it. It is shown this once; keep it where the receiver can read it.',
      examples: [demoWebhookSecret],
    }),
  },
  { title: 'NewWebhook', description: 'A webhook with its secret.' },
)

export const CreateWebhook = Closed(
  { url: Url, eventTypes: EventTypes, description: Type.Optional(Description) },
  { title: 'CreateWebhook', examples: [{ url: 'https://example.com/hooks/lintel', eventTypes: ['task.*'] }] },
)
export type CreateWebhook = Static<typeof CreateWebhook>

export const UpdateWebhook = Patch(
  Closed({ url: Url, eventTypes: EventTypes, description: Description, enabled: Enabled }),
  { title: 'UpdateWebhook', examples: [{ eventTypes: ['task.created', 'task.completed'] }] },
)
export type UpdateWebhook = Static<typeof UpdateWebhook>

/** One day, long enough for a receiver that is deployed once a day. */
export const OVERLAP_SECONDS = 86_400
const MAX_OVERLAP_SECONDS = 604_800
/** The body is optional. */
export const RotateWebhookSecret = Nullable(
  Closed({
    overlapSeconds: Type.Optional(
      Type.Integer({
        minimum: 0,
        maximum: MAX_OVERLAP_SECONDS,
        default: OVERLAP_SECONDS,
        description: 'Seconds for which the present secret signs too; 0 ends it at once.',
      }),
    ),
  }),
  { title: 'RotateWebhookSecret', examples: [{ overlapSeconds: 3_600 }] },
)

export const WebhookList = List(Webhook)
export const WebhooksQuery = ListQuery({}, ['createdAt'])
