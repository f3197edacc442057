import { demoId } from '../../lib/demo.ts'
import { type ErrorDefinition, errorCatalogue, FieldError } from '../../lib/errors.ts'
import type { Json } from './components.ts'
import type { Facts, Ids, Operation } from './operation.ts'

/** The id for resources that have no demo row. */
const UNKNOWN_ID = demoId(99)

/** The most common problem of each status. */
const USUAL: Record<string, string> = {
  400: 'malformed_request',
  401: 'unauthenticated',
  403: 'forbidden',
  404: 'not_found',
  409: 'idempotency_in_progress',
  412: 'precondition_failed',
  413: 'payload_too_large',
  415: 'unsupported_media_type',
  422: 'validation_failed',
  429: 'rate_limited',
  500: 'internal_error',
  503: 'overloaded',
}

/** Returns an example for each problem code that the operations refer to. */
export function problemExamples(operations: Operation[], publicUrl: string): Record<string, Json> {
  const answers = operations.flatMap(({ responses }) => Object.values(responses))
  const codes = answers.flatMap(({ content }) => Object.keys(content?.['application/problem+json']?.examples ?? {}))
  return Object.fromEntries([...new Set(codes)].map(code => [code, problemExample(code, publicUrl)]))
}

function problemExample(code: string, publicUrl: string): Json {
  const { status, title } = errorCatalogue.get(code) as ErrorDefinition
  const type = `${publicUrl}/docs/errors#${code}`
  const errors = code === 'validation_failed' ? { errors: [exampleOf(FieldError, { whole: false, ids: {} })] } : {}
  return { summary: title, value: { type, title, status, code, requestId: UNKNOWN_ID, ...errors } }
}

/** Returns the codes that every operation of its kind has for a status. */
export function usualCodes({ operation, resumes, keyed }: Facts, status: string): string[] {
  const more: Record<string, string[]> = {
    400: [...(resumes ? ['cursor_invalid', 'cursor_mismatch'] : []), ...(keyed ? ['idempotency_key_invalid'] : [])],
    409: operation['x-cache'] === 'no-store' ? ['idempotency_answer_not_kept'] : [],
    422: keyed ? ['idempotency_key_reused'] : [],
    503: ['database_unavailable'],
  }
  return [USUAL[status] as string, ...(more[status] ?? [])]
}

export const referencesTo = (codes: string[]): Json =>
  Object.fromEntries(codes.map(code => [code, { $ref: `#/components/examples/${code}` }]))

/** Adds an example body that can be sent: the required properties, unless the schema has its own example. */
export function requestExample({ requestBody }: Operation, ids: Ids): void {
  const [media] = Object.values(requestBody?.content ?? {})
  if (media && media.example === undefined) media.example = exampleOf(media.schema, { whole: false, ids })
}

/** Adds an example response like that of the demo data. */
export function successExample({ responses }: Operation, ids: Ids): void {
  for (const status of ['200', '201', '202']) {
    const media = responses[status]?.content?.['application/json']
    if (media && media.example === undefined) media.example = exampleOf(media.schema, { whole: true, ids })
  }
}

interface Context {
  ids: Ids
  /** Whether to include optional properties. */
  whole: boolean
  name?: string
  /** The title of the schema that the property belongs to. */
  of?: string
}

/** Builds a value of the schema from the examples of its parts; undefined when a part has none. */
export function exampleOf(schema: Json, context: Context): unknown {
  const { const: only, examples, enum: values, default: usual, type, format, items } = schema
  if (only !== undefined) return only
  if (Array.isArray(examples)) return examples[0]
  if (Array.isArray(values)) return values[0]
  if (usual !== undefined) return usual
  switch (Array.isArray(type) ? type[0] : type) {
    case 'object':
      return objectOf(schema, context)
    case 'array':
      return [exampleOf(items as Json, context)]
    case 'boolean':
      return false
    default:
      if (format === 'uuid') return idOf(context)
      return Array.isArray(type) && type.includes('null') ? null : undefined
  }
}

function objectOf({ properties = {}, required = [], title }: Json, { whole, ids }: Context): Json {
  const of = String(title ?? '')
  const entries = Object.entries(properties as Record<string, Json>)
    .filter(([name]) => whole || (required as string[]).includes(name))
    .map(([name, property]) => [name, exampleOf(property, { whole, ids, name, of })] as const)
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined))
}

/** Schemas that show the same resource as another schema. */
const SAME: Record<string, string> = { Me: 'User', NewApiKey: 'ApiKey', NewWebhook: 'Webhook', AuditEvent: 'Event' }

/**
 * `projectId` is the id of the demo project, `id` in a `Task` that of the demo task; a reference without a demo row
 * names a user.
 */
function idOf({ ids, name = '', of = '' }: Context): string {
  const noun = name === 'id' ? (SAME[of] ?? of) : name.replace(/Id$/, '')
  const kebab = noun.replace(/[A-Z]/g, (letter, at) => `${at > 0 ? '-' : ''}${letter.toLowerCase()}`)
  const known = ids[`${kebab.replace(/ty$/, 'tie')}s`]
  return known ?? (name === 'id' ? UNKNOWN_ID : (ids.users ?? UNKNOWN_ID))
}
