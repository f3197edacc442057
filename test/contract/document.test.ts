import { readFileSync } from 'node:fs'
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import t from 'tap'
import { errorCatalogue } from '../../src/lib/errors.ts'
import { testApp } from '../helpers/app.ts'
import type { Json } from './specification.ts'

/** Checks the texts and examples of the document for every operation. */
const { app } = await testApp(t)
const document: Json = JSON.parse(JSON.stringify(app.openapi()))
const { schemas } = document.components
const operations = Object.values<Json>(document.paths).flatMap(methods => Object.values<Json>(methods))

// Reads patterns without JavaScript's `u` flag, like other engines.
const ajv = new Ajv2020({ strict: false, validateFormats: true, unicodeRegExp: false })
formats.default(ajv, { mode: 'full' })

const resolve = (value: Json): Json =>
  value.$ref
    ? value.$ref
        .split('/')
        .slice(1)
        .reduce((at: Json, key: string) => at[key], document)
    : value

const validators = new Map<string, ValidateFunction>()

/** Returns why the value is no valid example of the schema; undefined when it is valid. */
function misfit(schema: Json, example: unknown): string | undefined {
  if (example === undefined) return 'there is none'
  const key = JSON.stringify(schema)
  const validate = validators.get(key) ?? ajv.compile({ ...schema, components: document.components })
  validators.set(key, validate)
  return validate(example) ? undefined : `${ajv.errorsText(validate.errors)}: ${JSON.stringify(example)}`
}

/** Returns every property of the schema and of unnamed schemas in it, by path. */
function propertiesOf(schema: Json, path: string): [string, Json][] {
  const inner = Object.entries<Json>(schema.properties ?? {}).flatMap(([name, property]): [string, Json][] => [
    [`${path}.${name}`, resolve(property)],
    ...(property.$ref ? [] : propertiesOf(property, `${path}.${name}`)),
  ])
  return schema.items && !schema.items.$ref ? [...inner, ...propertiesOf(schema.items, `${path}[]`)] : inner
}

const undescribed = (all: [string, Json][]): string[] =>
  all.flatMap(([name, { description }]) => (/\w.*\w.*[.`]/s.test(description ?? '') ? [] : [name]))

t.test('every tag, operation, parameter and property is described', async t => {
  t.same(undescribed(document.tags.map((tag: Json) => [tag.name, tag])), [], 'tags')
  t.same(undescribed(operations.map(operation => [operation.operationId, operation])), [], 'operations')
  const parameters = operations.flatMap(({ operationId, parameters }) =>
    parameters.map((parameter: Json): [string, Json] => [`${operationId} ${parameter.name}`, parameter]),
  )
  t.same(undescribed(parameters), [], 'parameters')
  const named = Object.entries<Json>(schemas).flatMap(([name, schema]) => propertiesOf(schema, name))
  const unnamed = operations.flatMap(({ operationId, requestBody, responses }) =>
    [requestBody, ...Object.values<Json>(responses)]
      .flatMap(({ content } = {}) => Object.values<Json>(content ?? {}))
      .flatMap(({ schema }) => propertiesOf(schema, operationId)),
  )
  t.same(undescribed([...named, ...unnamed]), [], 'properties')
})

t.test('what an id or a time means is said, and not only what kind of value it is', async t => {
  const [{ Id, Timestamp }] = await Promise.all([import('../../src/lib/schema.ts')])
  const kinds = [Id.description, Timestamp.description]
  const all = Object.entries<Json>(schemas).flatMap(([name, schema]) => propertiesOf(schema, name))
  t.same(
    all.flatMap(([name, { description }]) => (kinds.includes(description) ? [name] : [])),
    [],
  )
})

t.test('every answer is described', async t =>
  t.same(
    operations.flatMap(({ operationId, responses }) =>
      Object.entries<Json>(responses).flatMap(([status, { description }]) =>
        description && description !== 'Default Response' ? [] : [`${operationId} ${status}`],
      ),
    ),
    [],
  ),
)

t.test('every body has an example that its schema allows', async t => {
  const faults = operations.flatMap(({ operationId, requestBody }) => {
    if (!requestBody) return []
    const [{ schema, example }] = Object.values<Json>(requestBody.content)
    const fault = misfit(schema, example)
    return fault ? [`${operationId}: ${fault}`] : []
  })
  t.same(faults, [])
})

t.test('the example of a body has each property that is an object', async t => {
  const isMissing = (schema: Json, example: Json, path: string): string[] =>
    Object.entries<Json>(resolve(schema).properties ?? {}).flatMap(([name, property]) => {
      if (resolve(property).type !== 'object') return []
      const inner = example?.[name]
      return inner === undefined ? [`${path}.${name}`] : isMissing(property, inner, `${path}.${name}`)
    })
  const faults = operations.flatMap(({ operationId, requestBody }) => {
    const { schema, example } = requestBody?.content['application/json'] ?? {}
    return schema ? isMissing(schema, example, operationId) : []
  })
  t.same(faults, [], 'otherwise no generated test sends it')
})

t.test('every success has an example that its schema allows', async t => {
  const faults = operations.flatMap(({ operationId, responses }) =>
    ['200', '201', '202'].flatMap(status => {
      const json = responses[status]?.content?.['application/json']
      const fault = json && misfit(json.schema, json.example)
      return fault ? [`${operationId} ${status}: ${fault}`] : []
    }),
  )
  t.same(faults, [])
})

t.test('every failure has examples, which are declared problems with its status', async t => {
  const faults = operations.flatMap(({ operationId, responses }) =>
    Object.entries<Json>(responses).flatMap(([status, { content }]) => {
      const problem = content?.['application/problem+json']
      if (!problem) return []
      const examples = Object.entries<Json>(problem.examples ?? {})
      const wrong = examples.flatMap(([code, reference]) => {
        const { value } = resolve(reference)
        const declared = errorCatalogue.get(code)
        if (value.code !== code || value.status !== Number(status)) return [`${code} is no ${status}`]
        if (declared?.status !== value.status || declared?.title !== value.title)
          return [`${code} is declared otherwise`]
        return misfit(problem.schema, value) ?? []
      })
      return [...(examples.length > 0 ? wrong : ['there is none'])].map(fault => `${operationId} ${status}: ${fault}`)
    }),
  )
  t.same(faults, [])
})

/** Optional only for API keys, which belong to one organization. */
const REQUIRED_OF_USERS = ['readEventFeed organizationId']

t.test('no optional parameter has an example, which a form would send as it stands', async t => {
  const filled = operations.flatMap(({ operationId, parameters }) =>
    parameters.flatMap(({ name, required, example, examples, schema }: Json) =>
      required || [example, examples, schema.example, schema.examples].every(value => value === undefined)
        ? []
        : [`${operationId} ${name}`],
    ),
  )
  t.same(filled, REQUIRED_OF_USERS)
})

t.test('every parameter of a path has an example, which is the id of a row of the demo data', async t =>
  t.same(
    operations.flatMap(({ operationId, parameters }) =>
      parameters.flatMap((parameter: Json) =>
        parameter.in !== 'path' || parameter.example !== undefined ? [] : [`${operationId} ${parameter.name}`],
      ),
    ),
    [],
  ),
)

t.test('the scope or the role that an operation needs is in its description', async t => {
  for (const { operationId, description, 'x-access': access } of operations) {
    for (const needed of [access.scope, access.role])
      if (needed) t.match(description, needed, `${operationId} ${needed}`)
  }
})

t.test('what only the server needs to know is not published', async t => {
  const extensions = operations.flatMap(operation =>
    Object.entries<Json>(operation).filter(([key]) => key.startsWith('x-')),
  )
  t.same(
    [...new Set(extensions.map(([key]) => key))]
      .toSorted()
      .filter(key => !['x-access', 'x-idempotency', 'x-sensitive'].includes(key)),
    [],
  )
  const inAccess = new Set(operations.flatMap(operation => Object.keys(operation['x-access'])))
  t.same(
    [...inAccess].filter(key => !['kind', 'role', 'of', 'scope', 'orPlatform'].includes(key)),
    [],
  )
})

t.test(
  'every type of event of an organization is described as it is sent, with an example that its schema allows',
  async t => {
    const { eventTypes } = schemas.Webhook.properties
    const types = eventTypes.items.enum.filter((filter: string) => !filter.includes('*'))
    t.same(Object.keys(document.webhooks), types)
    t.ok(types.length > 30, `${types.length} types`)
    const faults = types.flatMap((type: string) => {
      const { parameters, requestBody, responses } = document.webhooks[type].post
      const { schema, example } = requestBody.content['application/json']
      const headers = parameters.map(({ name }: Json) => name).join()
      return [
        misfit(schema, example),
        example.type === type ? undefined : 'the example is of another type',
        headers === 'webhook-id,webhook-timestamp,webhook-signature' ? undefined : headers,
        undescribed(propertiesOf(schema, type)).join() || undefined,
        ['2XX', '410', 'default'].every(status => responses[status].description) ? undefined : 'an answer is missing',
      ].flatMap(fault => (fault ? [`${type}: ${fault}`] : []))
    })
    t.same(faults, [])
    t.notMatch(JSON.stringify(document.webhooks), /whsec_|ltl_/, 'no secret is sent')
  },
)

t.test('the version is that of the package', async t => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'))
  t.equal(document.info.version, version)
})
