import { createHash } from 'node:crypto'
import { getIntrospectionQuery } from 'graphql'
import t from 'tap'
import { createOrganization } from '../../helpers/actors.ts'
import { anotherNode, testApp } from '../../helpers/app.ts'
import { call } from '../../helpers/call.ts'
import { graph } from '../../helpers/graphql.ts'

const test = await testApp(t)
const { app } = test
const { member: as, viewer } = await createOrganization(test)
const body = { query: '{ me { id } }' }

t.test('only a POST of JSON with credentials is taken; the rest are problems as anywhere', async t => {
  const url = `/graphql?query=${encodeURIComponent(body.query)}`
  for (const [expected, request, options] of [
    [405, `GET ${url}`, { as }],
    [401, 'POST /graphql', { body }],
    [401, 'POST /graphql', { body, headers: { authorization: 'Bearer none' } }],
    [415, 'POST /graphql', { as, body: body.query, headers: { 'content-type': 'application/graphql' } }],
    [
      415,
      'POST /graphql',
      { as, body: 'query={me{id}}', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
    ],
    [415, 'POST /graphql', { as, body: JSON.stringify(body), headers: { 'content-type': 'text/plain' } }],
    [400, 'POST /graphql', { as, body: '{"query":' }],
    [413, 'POST /graphql', { as, body: { query: `{ me { id } } #${'x'.repeat(1_100_000)}` } }],
    [422, 'POST /graphql', { as, body: { query: `{ me { id } } #${'x'.repeat(20_000)}` } }],
    [422, 'POST /graphql', { as, body: [body, body] }],
    [422, 'POST /graphql', { as, body: { ...body, other: 1 } }],
    [422, 'POST /graphql', { as, body: { ...body, variables: [] } }],
    [422, 'POST /graphql', { as, body: {} }],
  ] as const) {
    const answer = await call(app, request, options)
    t.equal(answer.status, expected, `${request} ${JSON.stringify(options).slice(0, 200)}`)
    t.match(answer.headers['content-type'], /problem\+json/)
    t.equal(answer.body.requestId, answer.headers['request-id'])
  }
})

t.test('an answer is never stored by a cache, and its errors carry the id of the request', async t => {
  const { headers, errors } = await graph(app, as, '{ task(id: "x") { id } }')
  t.equal(headers['cache-control'], 'private, no-cache')
  t.equal(errors[0].extensions.requestId, headers['request-id'])
})

t.test('requests are limited as any others', async t => {
  const limited = await anotherNode(t, test, { rateLimit: 3 })
  const from = '10.9.9.9'
  const statuses: number[] = []
  for (let n = 0; n < 5; n++) statuses.push((await call(limited, 'POST /graphql', { as: viewer, body, from })).status)
  t.same(statuses, [200, 200, 200, 429, 429])
})

t.test('the schema can be asked for in development, and not in production', async t => {
  const { data } = await graph(app, as, getIntrospectionQuery())
  t.ok(data.__schema.types.some(({ name }: { name: string }) => name === 'TaskConnection'))
  const production = await anotherNode(t, test, { production: true })
  for (const document of [getIntrospectionQuery(), '{ __type(name: "Task") { name } }']) {
    const { status, errors } = await graph(production, as, document)
    t.equal(status, 400)
    t.match(errors[0].extensions, { code: 'graphql_invalid' })
  }
  const { errors } = await graph(production, as, '{ me { emai } }')
  t.notMatch(errors[0].message, /Did you mean/, 'nor is it told by suggestions')
  t.match((await graph(production, as, '{ me { __typename } }')).data, { me: { __typename: 'Me' } })
})

t.test('a document is known by its hash once it was sent with it', async t => {
  const query = '{ me { id email } }'
  const sha256Hash = createHash('sha256').update(query).digest('hex')
  const extensions = { persistedQuery: { version: 1, sha256Hash } }
  const send = (sent: object, caller = as) => call(app, 'POST /graphql', { as: caller, body: sent })
  t.match((await send({ extensions })).body.errors, [
    { message: 'PersistedQueryNotFound', extensions: { code: 'persisted_query_not_found' } },
  ])
  const wrong = await send({ query: '{ me { id } }', extensions })
  t.match(wrong.body, { status: 422, code: 'validation_failed' }, 'nobody can put another document in its place')
  t.match((await send({ extensions })).status, 400)
  t.equal((await send({ query, extensions })).body.data.me.id, as.id)
  t.equal((await send({ extensions }, viewer)).body.data.me.id, viewer.id, 'each caller gets its own answer')
  t.equal((await call(app, 'POST /graphql', { body: { extensions } })).status, 401)
})
