import type { EventType } from '../../events/registry.ts'
import type { Access } from '../../lib/access.ts'
import { problems } from '../../lib/errors.ts'
import { isList } from '../../lib/schema.ts'
import type { Domain } from '../domains.ts'
import { hoist, type Json } from './components.ts'

type Ids = Readonly<Record<string, string>>

/** An operation, and all of its path. */
interface Place {
  path: string
  method: string
  operation: Operation
  operations: Record<string, Operation>
}

interface Response {
  description: string
  headers?: Record<string, unknown>
  content?: Record<string, { schema: Json }>
}
interface Operation {
  operationId: string
  security?: Record<string, string[]>[]
  parameters?: Json[]
  requestBody?: Json
  responses: Record<string, Response>
  'x-access': Access
  'x-cache'?: string
  'x-idempotency'?: 'required'
}
export interface Document {
  openapi: string
  paths: Record<string, Record<string, Operation>>
  webhooks?: Record<string, unknown>
  components?: { schemas?: Record<string, Json> }
}

const header = (description: string) => ({ description, schema: { type: 'string' } })
const REQUEST_ID = { 'Request-Id': header('Also in problems and in our logs.') }
const ETAG = { ETag: header('The version of the resource, for `If-None-Match` and `If-Match`.') }
const LOCATION = { Location: header('The path of the new resource, or of what shows the progress.') }
const REDIRECT = { Location: header('Where the browser goes on.') }
const RETRY_AFTER = { 'Retry-After': header('Seconds to wait.') }
const LINK = { Link: header('The next page, `rel="next"`.') }
const REPLAYED = { 'Idempotent-Replayed': header('`true` when this is the kept answer of an earlier request.') }

const parameter = (name: string, description: string, required = false): Json => ({
  name,
  in: 'header',
  required,
  description,
  schema: { type: 'string' },
})

/** Adds what follows from the rules of the contract to every operation, then names the schemas. */
export function complete(
  document: Document,
  events: ReadonlyMap<string, EventType<never>>,
  domains: readonly Domain[],
): Document {
  const demoIds = Object.assign({}, ...domains.map(({ demo }) => demo?.ids))
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(operations))
      completeOperation({ path, method, operation, operations }, demoIds)
  }
  document.webhooks = Object.fromEntries(
    [...events.values()].filter(isOutbound).map(type => [type.name, outbound(type)]),
  )
  return hoist(document)
}

/** Partners hear of what belongs to an organization. */
const isOutbound = ({ target, schema }: EventType<never>): boolean =>
  target === 'organization' || schema.properties.organizationId !== undefined

function completeOperation({ path, method, operation, operations }: Place, demoIds: Ids): void {
  const access = operation['x-access']
  const versioned = isVersioned(operation)
  operation.security = securityOf(access)
  const implied = impliedProblems({ path, method, operation, operations })
  operation.responses = { ...(problems(...implied) as Record<string, Response>), ...operation.responses }
  operation.parameters = [
    ...withExamples(path, operation.parameters, demoIds),
    ...conditions(method, operation, versioned),
  ]
  if (method === 'get' && versioned) operation.responses['304'] = { description: 'Not modified.' }
  for (const [status, response] of Object.entries(operation.responses)) {
    response.headers = { ...response.headers, ...headersOf(method, Number(status), operation, versioned) }
  }
}

/** Each id of a path names a resource of the demo data, so that the examples work as they stand. */
const withExamples = (path: string, parameters: Json[] = [], demoIds: Ids): Json[] =>
  parameters.map(parameter => {
    const [, collection] = path.match(new RegExp(`([\\w-]+)/\\{${parameter.name}\\}`)) ?? []
    const example = collection && demoIds[collection]
    return example ? { ...parameter, example } : parameter
  })

const schemaOf = (response: Response | undefined): Json | undefined => response?.content?.['application/json']?.schema
const answerOf = ({ responses }: Operation): Json | undefined =>
  schemaOf(responses['200'] ?? responses['201'] ?? responses['202'])

/** What carries `updatedAt` is a row with a version. */
const isVersioned = (operation: Operation): boolean =>
  (answerOf(operation)?.properties as Json | undefined)?.updatedAt !== undefined

function securityOf(access: Access): Record<string, string[]>[] {
  if (access.kind === 'public') return []
  const byToken = { accessToken: [] }
  return 'scope' in access && access.scope ? [byToken, { apiKey: [] }] : [byToken]
}

function conditions(method: string, operation: Operation, versioned: boolean): Json[] {
  if (method === 'get')
    return versioned ? [parameter('If-None-Match', 'Answers 304 while this is the present version.')] : []
  const keyed = method === 'post' && operation['x-access'].kind !== 'public'
  const key = parameter(
    'Idempotency-Key',
    'The same key and request get the same answer for 24 hours.',
    operation['x-idempotency'] === 'required',
  )
  const ifMatch = parameter('If-Match', 'Refuses with 412 when this is not the present version.')
  return [...(keyed ? [key] : []), ...(operation.responses['412'] ? [ifMatch] : [])]
}

/** It reads a version, or changes one: its answer has it, or what stands at the same path. */
function isConditional({ path, method, operation, operations }: Place): boolean {
  if (method === 'delete') return Object.values(operations).some(isVersioned)
  const answers = isVersioned(operation) && operation.responses['200'] !== undefined
  return answers && (method !== 'post' || path.includes('{'))
}

/** What follows from who may call, the method, the path and the schemas. */
function impliedProblems({ path, method, operation, operations }: Place): number[] {
  const closed = operation['x-access'].kind !== 'public'
  const keyed = closed && method === 'post'
  const lists = operation.parameters?.some(({ name }) => name === 'cursor')
  return [
    ...(closed ? [401, 403] : []),
    ...(path.includes('{') ? [404] : []),
    ...(keyed ? [409] : []),
    ...(isConditional({ path, method, operation, operations }) ? [412] : []),
    ...(lists ? [400] : []),
    // A body is parsed before anybody can say that none was asked for.
    ...(method === 'get' ? [] : [400, 413, 415, 422]),
    ...(operation.parameters?.length ? [422] : []),
    429,
    500,
    503,
  ]
}

function headersOf(method: string, status: number, operation: Operation, versioned: boolean): Record<string, unknown> {
  const success = status < 300
  const keyed = method === 'post' && operation['x-access'].kind !== 'public'
  return {
    ...REQUEST_ID,
    ...(success && versioned ? ETAG : {}),
    ...([201, 202].includes(status) && versioned ? LOCATION : {}),
    ...(status === 302 ? REDIRECT : {}),
    ...(success && isList(answerOf(operation)) ? LINK : {}),
    ...(success && keyed ? REPLAYED : {}),
    ...(status === 429 || status === 503 ? RETRY_AFTER : {}),
  }
}

const outbound = ({ name, schema }: EventType<never>) => ({
  post: {
    operationId: `on.${name}`,
    summary: `Sent after ${name}`,
    tags: ['events'],
    security: [],
    requestBody: {
      content: {
        'application/json': {
          schema: {
            type: 'object',
            required: ['type', 'timestamp', 'data'],
            properties: {
              type: { type: 'string', const: name },
              timestamp: { type: 'string', format: 'date-time' },
              data: schema,
            },
          },
        },
      },
    },
    responses: { '204': { description: 'Any 2xx acknowledges.' } },
  },
})
