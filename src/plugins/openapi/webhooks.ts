import type { TObject } from '@sinclair/typebox'
import type { EventType } from '../../events/registry.ts'
import { eventFilters } from '../../lib/event-filters.ts'
import { Timestamp } from '../../lib/schema.ts'
import type { Json } from './components.ts'
import { exampleOf } from './examples.ts'
import type { Ids } from './operation.ts'

const MOMENT = '2026-01-31T12:00:00.000Z'

const header = (name: string, description: string, example: string): Json => ({
  name,
  in: 'header',
  required: true,
  description,
  schema: { type: 'string' },
  example,
})

/** Standard Webhooks 1.0.0. */
const HEADERS = [
  header('webhook-id', 'The id of the event: the same for every attempt, so it tells what was received before.', 'evt'),
  header(
    'webhook-timestamp',
    'When the attempt was made, in seconds since 1970: refuse what is older than 5 minutes.',
    '1769860800',
  ),
  header(
    'webhook-signature',
    '`v1,` and the base64 of an HMAC-SHA256 over `{webhook-id}.{webhook-timestamp}.{body}`; two, with a space between, while two secrets are valid. Compare with the bytes of the body as they came.',
    'v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=',
  ),
]

const RESPONSES = {
  '2XX': { description: 'Received. Answer within 15 seconds, and do the work afterwards.' },
  '410': { description: 'Wanted no longer: the webhook is disabled at once.' },
  default: {
    description: 'Failed, also by a redirect: it is sent again later, after `Retry-After` where there is one.',
  },
}

/** Describes what is sent to webhooks: one request for each type of event that an organization has. */
export const webhooksOf = (events: ReadonlyMap<string, EventType<never>>, ids: Ids): Record<string, Json> =>
  Object.fromEntries(
    [...events.values()]
      .filter(({ name }) => eventFilters.includes(name))
      .map(type => [type.name, { post: webhookOf(type, ids) }]),
  )

function webhookOf({ name, schema, version }: EventType<never>, ids: Ids): Json {
  const example = { type: name, timestamp: MOMENT, data: exampleOf(schema, { whole: true, ids }) }
  return {
    operationId: `on ${name}`.replace(/[ ._](\w)/g, (_, letter: string) => letter.toUpperCase()),
    summary: `\`${name}\` happened`,
    description: `Version ${version} of its data. Sent to every webhook whose \`eventTypes\` have it. Properties may be added to \`data\`; what would change the meaning of one gets another type of event.`,
    'x-version': version,
    tags: ['webhooks'],
    security: [],
    parameters: HEADERS,
    requestBody: { required: true, content: { 'application/json': { schema: envelopeOf(name, schema), example } } },
    responses: RESPONSES,
  }
}

const TARGET = 'What it happened to, as it stood afterwards.'

const envelopeOf = (name: string, schema: TObject): Json => ({
  type: 'object',
  required: ['type', 'timestamp', 'data'],
  properties: {
    type: { type: 'string', const: name, description: 'What happened.' },
    timestamp: { ...Timestamp, description: 'When it happened.' },
    data: schema.description === undefined ? { ...schema, description: TARGET } : schema,
  },
})
