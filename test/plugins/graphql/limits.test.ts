import { parse } from 'graphql'
import t from 'tap'
import { createOrganization } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import { graph } from '../../helpers/graphql.ts'
import { recordStatements } from '../../helpers/statements.ts'

const test = await testApp(t)
const { app } = test
const { member: as, id } = await createOrganization(test)
const statements = recordStatements(app)

/** Returns the first error of a document that must be refused before anything is read. */
async function refusalOf(document: string, variables: object = {}) {
  statements.length = 0
  const { status, body } = await graph(app, as, document, { variables })
  return { status, ...body.errors?.[0], sent: statements.length, executed: body.data !== undefined }
}
const refused = (code: string, message: RegExp) => ({
  status: 400,
  message,
  extensions: { code, status: 400 },
  sent: 0,
  executed: false,
})

const times = (count: number, field: (n: number) => string) =>
  Array.from({ length: count }, (_, n) => field(n)).join(' ')

t.test('levels are limited, also by way of fragments', async t => {
  const nested = (levels: number): string =>
    levels === 0 ? 'id' : `project { tasks(first: 1) { nodes { ${nested(levels - 1)} } } }`
  t.match(await refusalOf(`{ task(id: "${id}") { ${nested(5)} } }`), refused('graphql_too_large', /15 levels/))
  const fragments = times(14, n => `fragment F${n} on Task { project { tasks(first: 1) { nodes { ...F${n + 1} } } } }`)
  const document = `{ task(id: "${id}") { ...F0 } } ${fragments} fragment F14 on Task { id }`
  t.match(await refusalOf(document), refused('graphql_too_large', /15 levels/))
})

t.test('fields and aliases are limited, also by way of fragments that double each other', async t => {
  t.match(await refusalOf(`{ me { ${times(200, n => `a${n}: id`)} } }`), refused('graphql_too_large', /30 aliases/))
  t.match(await refusalOf(`{ ${times(31, n => `a${n}: me { id }`)} }`), refused('graphql_too_large', /30 aliases/))
  t.match(await refusalOf(`{ me { ${times(251, () => 'id')} } }`), refused('graphql_too_large', /250 fields/))
  const bomb = times(40, n => `fragment F${n} on Me { ...F${n + 1} ...F${n + 1} }`)
  const document = `{ me { ...F0 } } ${bomb} fragment F40 on Me { id }`
  t.match(
    await refusalOf(document),
    refused('graphql_too_large', /250 fields/),
    '2^40 fields are not counted one by one',
  )
})

t.test('fragments that spread themselves are refused', async t => {
  const document = '{ me { ...A } } fragment A on Me { id ...B } fragment B on Me { ...A }'
  t.match(await refusalOf(document), refused('graphql_invalid', /itself/))
})

t.test('the number of objects of the answer is limited, with the variables as they are', async t => {
  const document = `query ($n: Int = 50, $m: Int) { organization(id: "${id}") {
    projects(first: $n) { nodes { tasks(first: $m) { edges { node { comments(first: 5) { nodes { id } } } } } } }
  } }`
  t.equal((await refusalOf(document, { m: 20 })).executed, true, 'what the issue asks for is within it')
  t.match(await refusalOf(document, { m: 50 }), refused('graphql_too_large', /10000 objects/))
  t.match(await refusalOf(document, { n: 100, m: 20 }), refused('graphql_too_large', /10000 objects/))
  t.match(
    await refusalOf(document, { n: 1000, m: 20 }),
    refused('graphql_too_large', /10000 objects/),
    'above 100 is 100',
  )
  const spread = `query ($m: Int) { organization(id: "${id}") { projects(first: 50) { ...P } } }
    fragment P on ProjectConnection { nodes { ... on Project { tasks(first: $m) { edges { node { ...T } } } } } }
    fragment T on Task { comments(first: 5) { nodes { id } } }`
  t.match(await refusalOf(spread, { m: 50 }), refused('graphql_too_large', /10000 objects/), 'also in a fragment')
})

t.test('a document may have ten mutations', async t => {
  const document = `mutation { ${times(11, () => `deleteTask(id: "${id}")`)} }`
  t.match(await refusalOf(document), refused('graphql_too_large', /10 mutations/))
})

t.test('a document that is not GraphQL, or too long, is refused', async t => {
  t.match(await refusalOf('{ me {'), refused('graphql_invalid', /Syntax Error/))
  t.match(await refusalOf(''), refused('graphql_invalid', /Syntax Error/))
  t.match(await refusalOf(`{ ${times(1001, () => 'me')} }`), refused('graphql_invalid', /1000 tokens/))
  t.match(
    await refusalOf(JSON.stringify(parse('{ me { id } }'))),
    refused('graphql_invalid', /not GraphQL/),
    'a parsed one',
  )
  for (const json of ['null', 'true', '[]', '1', '{}', '"text"'])
    t.match(await refusalOf(json), refused('graphql_invalid', /./), json)
  t.match(await refusalOf('query A { me { id } } query B { me { id } }'), refused('graphql_invalid', /operation name/))
  t.match(await refusalOf('query ($id: ID!) { task(id: $id) { id } }'), refused('graphql_invalid', /\$id/))
  t.match(await refusalOf('{ me { passwordHash } }'), refused('graphql_invalid', /passwordHash/))
  t.match(await refusalOf('subscription { me { id } }'), refused('graphql_invalid', /./))
})

t.test('a document with several operations does the one that is named, again and again', async t => {
  const query = `query A { me { id } } query B { me { name } }`
  const send = async (operationName: string) =>
    (
      await app.inject({ method: 'POST', url: '/graphql', headers: as.headers, payload: { query, operationName } })
    ).json()
  for (let n = 0; n < 5; n++) {
    t.same(Object.keys((await send('A')).data.me), ['id'])
    t.same(Object.keys((await send('B')).data.me), ['name'])
  }
})
