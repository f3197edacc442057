import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type GraphQLField, type GraphQLObjectType, isListType, isNonNullType, isObjectType } from 'graphql'
import t from 'tap'
import type { Scope } from '../../../src/lib/access.ts'
import { newId } from '../../../src/lib/ids.ts'
import { CALLERS, type CallerName, callerIn } from '../../contract/callers.ts'
import { type Operation, Specification } from '../../contract/specification.ts'
import type { World } from '../../contract/world.ts'
import { createKey, createOrganization, createUser } from '../../helpers/actors.ts'
import { testApp } from '../../helpers/app.ts'
import type { Credentials } from '../../helpers/call.ts'
import { createComment, createPost, createProject, createTask } from '../../helpers/factories.ts'
import { graph } from '../../helpers/graphql.ts'

/** What every field and mutation answers every kind of caller: `ok`, `null`, or the status of the error. */
const GOLDEN = fileURLToPath(new URL('access.txt', import.meta.url))
/** Writes the file again; review the difference carefully. */
const COMMAND = 'UPDATE_MATRIX=1 npm test -- test/plugins/graphql/access.test.ts'
const NAME_CHARACTERS = 30
const CELL_CHARACTERS = 4

const test = await testApp(t)
const { app, sql } = test
const organization = await createOrganization(test)
const world = { organization, platformAdmin: await createUser(test, { role: 'admin' }) } as World
const { member, admin } = organization
const { all: operations } = new Specification(app)
const { schema } = await app.graph()

type Field = GraphQLField<unknown, unknown>

/** Inserts a row of each kind, made by a member; returns their ids. */
async function rows() {
  const project = await createProject(test, { organizationId: organization.id })
  const task = await createTask(test, { projectId: project, assigneeId: admin.id })
  const post = await createPost(test, { organizationId: organization.id, authorId: member.id, status: 'published' })
  const comment = await createComment(test, { taskId: task, authorId: member.id })
  await sql('update projects set created_by = $2 where id = $1', [project, member.id])
  await sql('update tasks set created_by = $2 where id = $1', [task, member.id])
  return { organization: organization.id, project, task, post, comment } as Record<string, string>
}

async function commentOnPost(postId: string): Promise<string> {
  const id = newId()
  await sql('insert into comments (id, organization_id, post_id, author_id, body) values ($1, $2, $3, $4, $5)', [
    id,
    organization.id,
    postId,
    member.id,
    'Comment',
  ])
  return id
}

const isConnection = (field: Field) => isObjectType(field.type) && field.type.name.endsWith('Connection')
const selection = (field: Field) => (isConnection(field) ? '{ nodes { __typename } }' : '{ __typename }')
const operationOf = ({ extensions }: Field) => operations.find(({ id }) => id === extensions.operation) as Operation
const rootOf = (type: string) => schema.getQueryType()?.getFields()[type.toLowerCase()]

interface Case {
  name: string
  field: Field
  /** The operations whose scopes the document needs. */
  needs: Operation[]
  documentOf(): Promise<{ document: string; variables?: object; path: string[] }>
}

/** A field at the root of queries. */
const rootCase = (field: Field): Case => ({
  name: `Query.${field.name}`,
  field,
  needs: [operationOf(field)],
  async documentOf() {
    const id = field.args.some(({ name }) => name === 'id') ? `(id: "${(await rows())[field.name]}")` : ''
    return { document: `{ ${field.name}${id} ${selection(field)} }`, path: [field.name] }
  },
})

/** A field of a type, reached by the field at the root for that type; members are reached by their organization. */
const fieldCase = (type: string, field: Field): Case => {
  const root = rootOf(type) ?? rootOf('organization')
  const name = `${type}.${field.name}`
  const needs = [operationOf(root as Field), operationOf(field)]
  return {
    name,
    field,
    needs: type === 'Member' ? [...needs, operations.find(({ id }) => id === 'listMembers') as Operation] : needs,
    async documentOf() {
      const made = await rows()
      const id = name === 'Comment.post' ? await commentOnPost(made.post as string) : made[root?.name as string]
      const inside = `${field.name} ${selection(field)}`
      return type === 'Member'
        ? {
            document: `{ organization(id: "${id}") { members(first: 1) { nodes { ${inside} } } } }`,
            path: ['organization', 'members', 'nodes', '0', field.name],
          }
        : { document: `{ ${root?.name}(id: "${id}") { ${inside} } }`, path: [root?.name as string, field.name] }
    },
  }
}

const mutationCase = (field: Field): Case => {
  const operation = operationOf(field)
  return {
    name: `Mutation.${field.name}`,
    field,
    needs: [operation],
    async documentOf() {
      const made = await rows()
      const [argument] = field.args
      const of = (operation.access as { of: string }).of
      const example = { ...operation.example, ...(field.name === 'moveTask' && { projectId: made.project }) }
      if (example.slug) example.slug = newId()
      const takes = field.args.find(({ name }) => name === 'input')
      const input = takes ? [`, $input: ${takes.type}`, ', input: $input'] : ['', '']
      const leaf = isObjectType(field.type) ? '{ __typename }' : ''
      return {
        document: `mutation ($id: ID!${input[0]}) { ${field.name}(${argument?.name}: $id${input[1]}) ${leaf} }`,
        variables: { id: made[of], ...(takes && { input: example }) },
        path: [field.name],
      }
    },
  }
}

const declared = (type: GraphQLObjectType): Field[] =>
  Object.values(type.getFields()).filter(({ extensions }) => extensions.operation !== undefined)

const cases: Case[] = Object.values(schema.getTypeMap()).flatMap(type => {
  if (!isObjectType(type)) return []
  if (type === schema.getQueryType()) return declared(type).map(rootCase)
  if (type === schema.getMutationType()) return declared(type).map(mutationCase)
  return declared(type).map(field => fieldCase(type.name, field))
})

const scopeOf = ({ access }: Operation): Scope | undefined => ('scope' in access ? access.scope : undefined)

/** As any caller of the operation; a key has the scopes of the whole document. */
async function credentialsOf({ field, needs }: Case, name: CallerName): Promise<Credentials | null> {
  const scopes = needs.flatMap(need => scopeOf(need) ?? [])
  const own = scopeOf(operationOf(field))
  if (name === 'key with the scope') return createKey(test, organization.id, ...scopes)
  if (name === 'key without it') return createKey(test, organization.id, ...scopes.filter(scope => scope !== own))
  return callerIn(test, world, operationOf(field))(name)
}

async function answerOf(one: Case, name: CallerName): Promise<string> {
  const { document, variables = {}, path } = await one.documentOf()
  const { status, data, errors, body } = await graph(app, await credentialsOf(one, name), document, { variables })
  if (status !== 200) return String(status) + (status === 400 ? JSON.stringify(body) : '')
  if (errors) return String(errors[0].extensions.status)
  return path.reduce((value, key) => value?.[key], data) == null ? 'null' : 'ok'
}

const header = CALLERS.map((name, at) => {
  const bars = '|'.padEnd(CELL_CHARACTERS + 1).repeat(at)
  return `${' '.repeat(NAME_CHARACTERS)}${bars}${name}`
})

t.test('every field and mutation answers every kind of caller as the golden file says', async t => {
  const found = [...header]
  for (const one of cases) {
    const answers: string[] = []
    for (const name of CALLERS) answers.push((await answerOf(one, name)).padEnd(CELL_CHARACTERS))
    found.push(`${one.name.padEnd(NAME_CHARACTERS)}${answers.join(' ')}`.trimEnd())
  }
  if (process.env.UPDATE_MATRIX) writeFileSync(GOLDEN, `${found.join('\n')}\n`)
  t.ok(existsSync(GOLDEN), `${COMMAND} writes it`)
  const golden = readFileSync(GOLDEN, 'utf8').trimEnd().split('\n')
  for (const row of found) t.ok(golden.includes(row), row)
  t.equal(golden.length, found.length, 'and it names nothing else')
})

t.test('every field that reads rows has an operation, whose access rule holds', async t => {
  for (const type of Object.values(schema.getTypeMap())) {
    if (!isObjectType(type) || /^__|Connection$|Edge$|^PageInfo$/.test(type.name)) continue
    for (const field of Object.values(type.getFields())) {
      const named = isNonNullType(field.type) ? field.type.ofType : field.type
      const reads = isObjectType(named) || isListType(named)
      const isPart = ['Profile', 'Settings'].includes(String(named))
      if (reads && !isPart) t.ok(field.extensions.operation, `${type.name}.${field.name}`)
    }
  }
})
