import type { Json } from './components.ts'
import { describeId, isBareId } from './descriptions.ts'
import type { Facts, Ids } from './operation.ts'

/** Returns the parameters of the route and the headers that follow from the general rules. */
export function completeParameters(facts: Facts, ids: Ids): Json[] {
  const declared = facts.operation.parameters ?? []
  return [...declared.map(given => completeParameter(facts, ids, given)), ...conditions(facts)]
}

function completeParameter({ path, operation }: Facts, ids: Ids, given: Json): Json {
  const parameter = withoutExamples(given)
  if (parameter.in === 'path') {
    const [, collection = ''] = path.match(new RegExp(`([\\w-]+)/\\{${parameter.name}\\}`)) ?? []
    const description = isBareId(given) ? describeId(singular(collection)) : given.description
    return { ...parameter, description, example: ids[collection] }
  }
  // No path names the organization here; this parameter does, and only users must send it.
  const namesTenant = operation['x-access'].kind === 'caller' && parameter.name === 'organizationId'
  return namesTenant ? { ...parameter, example: ids.organizations } : parameter
}

/** Removes the examples of optional filters: a request with all of them would find nothing. */
function withoutExamples({ example: _, examples: __, ...parameter }: Json): Json {
  const { examples: ___, ...schema } = parameter.schema as Json
  return { ...parameter, schema }
}

const singular = (collection: string): string =>
  collection.replace(/ies$/, 'y').replace(/s$/, '').replaceAll('-', ' ').replace('api', 'API')

const header = (name: string, description: string, required = false): Json => ({
  name,
  in: 'header',
  required,
  description,
  schema: { type: 'string' },
})

function conditions({ method, operation, versioned, keyed }: Facts): Json[] {
  if (method === 'get')
    return versioned ? [header('If-None-Match', 'An `ETag`: answers 304 while it is the present one.')] : []
  const required = operation['x-idempotency'] === 'required'
  const key = header('Idempotency-Key', 'The same key and request get the same answer for 24 hours.', required)
  const ifMatch = header('If-Match', 'An `ETag`: refuses with 412 when it is not the present one.')
  return [...(keyed ? [key] : []), ...(operation.responses['412'] ? [ifMatch] : [])]
}
