import type { EventType } from '../../events/registry.ts'
import { isList } from '../../lib/schema.ts'
import type { Domain } from '../domains.ts'
import { hoist, type Json } from './components.ts'
import { describeOperation, describeProperty } from './descriptions.ts'
import { problemExamples, requestExample, successExample } from './examples.ts'
import type { Document, Facts, Ids, Operation, PublishedAccess } from './operation.ts'
import { completeParameters } from './parameters.ts'
import { completeResponses } from './responses.ts'
import { tagsOf } from './tags.ts'
import { webhooksOf } from './webhooks.ts'

interface Service {
  publicUrl: string
  events: ReadonlyMap<string, EventType<never>>
  domains: readonly Domain[]
}

/** Adds to every operation what the API's general rules imply, then moves the schemas to components. */
export function complete(document: Document, { publicUrl, events, domains }: Service): Document {
  const ids: Ids = Object.assign({}, ...domains.map(({ demo }) => demo?.ids))
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const method of Object.keys(operations)) completeOperation(factsOf(path, method, operations), ids)
  }
  const operations = Object.values(document.paths).flatMap(methods => Object.values(methods))
  const examples = problemExamples(operations, publicUrl)
  const components = { ...document.components, examples }
  const webhooks = webhooksOf(events, ids)
  return hoist({ ...document, webhooks, components, tags: tagsOf(domains, events) }, describeProperty)
}

function factsOf(path: string, method: string, operations: Record<string, Operation>): Facts {
  const operation = operations[method] as Operation
  const versioned = isVersioned(operation)
  return {
    path,
    method,
    operation,
    versioned,
    // A DELETE returns nothing: the version is that of the resource at its path.
    conditional:
      method === 'delete'
        ? Object.values(operations).some(isVersioned)
        : versioned && operation.responses['200'] !== undefined && (method !== 'post' || path.includes('{')),
    lists: isList(answerOf(operation)),
    resumes: operation.parameters?.some(({ name }) => name === 'cursor') ?? false,
    keyed: method === 'post' && operation['x-access'].kind !== 'public',
  }
}

const answerOf = ({ responses }: Operation): Json | undefined =>
  (responses['200'] ?? responses['201'] ?? responses['202'])?.content?.['application/json']?.schema

/** A response with `updatedAt` is a row with a version. */
const isVersioned = (operation: Operation): boolean =>
  (answerOf(operation)?.properties as Json | undefined)?.updatedAt !== undefined

function completeOperation(facts: Facts, ids: Ids): void {
  const { operation } = facts
  operation.security = securityOf(operation['x-access'])
  operation.responses = completeResponses(facts)
  operation.parameters = completeParameters(facts, ids)
  operation.description = describeOperation(facts)
  requireBody(operation)
  requestExample(operation, ids)
  successExample(operation, ids)
  // The description of the operation says it.
  delete operation['x-cache']
}

/** A body that may be null may be left out, which the library does not know. */
function requireBody({ requestBody }: Operation): void {
  const schema = requestBody?.content['application/json']?.schema
  if (requestBody && schema) requestBody.required = ![schema.type].flat().includes('null')
}

function securityOf(access: PublishedAccess): Record<string, string[]>[] {
  if (access.kind === 'public') return []
  const byToken = { accessToken: [] }
  return 'scope' in access && access.scope ? [byToken, { apiKey: [] }] : [byToken]
}
