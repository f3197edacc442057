import { demoId } from '../../lib/demo.ts'
import { type ErrorDefinition, errorCatalogue, FieldError } from '../../lib/errors.ts'
import type { Json } from './components.ts'
import type { Facts, Ids, Operation } from './operation.ts'

/** Of what the demo data has no row of. */
const UNKNOWN_ID = demoId(99)

/** The problem that a status most often is. */
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

/** The problems that the operations refer to, as a caller gets them, by their codes. */
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

/** The codes that a status has for every operation of its kind. */
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

/** Fills in a body that can be sent: what is required, where the schema has no example of its own. */
export function requestExample({ requestBody }: Operation, ids: Ids): void {
  const media = requestBody?.content['application/json']
  if (media && media.example === undefined) media.example = exampleOf(media.schema, { whole: false, ids })
}

/** Fills in an answer as the demo data gives it. */
export function successExample({ responses }: Operation, ids: Ids): void {
  for (const status of ['200', '201', '202']) {
    const media = responses[status]?.content?.['application/json']
    if (media && media.example === undefined) media.example = exampleOf(media.schema, { whole: true, ids })
  }
}

interface Context {
  ids: Ids
  /** With the optional properties as well. */
  whole: boolean
  name?: string
  /** The title of the schema that the property belongs to. */
  of?: string
}

/** A value of the schema, made of the examples of its parts; undefined where a part has none. */
function exampleOf(schema: Json, context: Context): unknown {
  const { examples, enum: values, default: usual, type, format, items } = schema
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

/** Schemas of what other schemas show as well. */
const SAME: Record<string, string> = { Me: 'User', NewApiKey: 'ApiKey', AuditEvent: 'Event' }

/** `projectId` is that of the demo project, `id` in a `Task` that of the demo task; what has no row refers to a person. */
function idOf({ ids, name = '', of = '' }: Context): string {
  const noun = name === 'id' ? (SAME[of] ?? of) : name.replace(/Id$/, '')
  const kebab = noun.replace(/[A-Z]/g, (letter, at) => `${at > 0 ? '-' : ''}${letter.toLowerCase()}`)
  const known = ids[`${kebab.replace(/ty$/, 'tie')}s`]
  return known ?? (name === 'id' ? UNKNOWN_ID : (ids.users ?? UNKNOWN_ID))
}
