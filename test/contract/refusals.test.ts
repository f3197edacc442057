import t, { type Test } from 'tap'
import { reachesRole, scopeNames } from '../../src/lib/access.ts'
import { createKey } from '../helpers/actors.ts'
import { testApp } from '../helpers/app.ts'
import { startServices } from '../helpers/services.ts'
import { Client } from './client.ts'
import { eachBy } from './each.ts'
import { mutationsOf } from './mutations.ts'
import { type Json, type Operation, Specification } from './specification.ts'
import { ROLES, World } from './world.ts'

/** Every refusal says what to do about it, for every operation. */
const services = await startServices(t)
const test = await testApp(t, services)
const specification = new Specification(test.app)
const client = new Client(test, specification)
const world = await World.create(test, client, specification)
const operations = specification.chosen(t)

const each = eachBy(t, client)

const callerOf = ({ access }: Operation) =>
  access.kind === 'platform' ? world.platformAdmin : world.organization.owner
/** Access is checked before the resource is looked up, so any id works. */
const ids = (operation: Operation) =>
  Object.fromEntries(Array.from(operation.path.matchAll(/\{(\w+)\}/g), ([, name]) => [name, world.organization.id]))
const wordsOf = (schema: Json): unknown[] => schema.enum ?? []
const scopeOf = ({ access }: Operation) => ('scope' in access ? access.scope : undefined)

each(
  operations.filter(({ parameters }) => parameters.some(({ in: place }) => place === 'query')),
  'what is wrong with a query is named by parameter, and the values that there are',
  async (t, operation) => {
    const as = callerOf(operation)
    const params = await world.paramsOf(operation, as)
    const faultOf = async (query: Record<string, string>) => {
      const { status, body } = await client.send(operation, { as, params, query })
      t.equal(status, 422, JSON.stringify(query))
      t.same(Object.keys(body.errors[0]).toSorted(), ['detail', 'parameter'])
      t.equal(body.detail, `${body.errors[0].parameter} ${body.errors[0].detail}`)
      return body.errors[0]
    }
    t.same(await faultOf({ unknown: '1' }), { parameter: 'unknown', detail: 'is not a known parameter' })
    for (const { name, in: place, schema } of operation.parameters) {
      if (place !== 'query' || !(schema.enum || schema.type === 'integer' || schema.format)) continue
      const fault = await faultOf({ [name]: 'not-one-of-them' })
      t.equal(fault.parameter, name)
      for (const word of wordsOf(schema)) t.match(fault.detail, String(word))
    }
  },
)

each(
  operations.filter(({ path }) => path.includes('{')),
  'what is wrong with a path is named by parameter',
  async (t, operation) => {
    for (const name of Object.keys(ids(operation))) {
      const params = { ...ids(operation), [name]: 'not-an-id' }
      const { body } = await client.send(operation, { as: callerOf(operation), params })
      t.same(Object.keys(body.errors[0]).toSorted(), ['detail', 'parameter'])
      t.equal(body.errors[0].parameter, name)
    }
  },
)

/** Returns the schema at a JSON pointer, as ajv resolves it. */
const schemaAt = (schema: Json, pointer: string): Json =>
  pointer
    .split('/')
    .slice(1)
    .reduce((at, step) => {
      const { properties, items } = specification.resolve(at)
      return specification.resolve(properties?.[step] ?? items)
    }, schema)

each(
  operations.filter(({ body }) => body !== undefined),
  'what is wrong with a body is named by pointer, and the values that there are',
  async (t, operation) => {
    const as = callerOf(operation)
    const params = ids(operation)
    const sound = await world.bodyOf(operation, await world.paramsOf(operation, as), as)
    for (const { why, body: broken } of mutationsOf(specification, operation.body, sound)) {
      if (!/is not (in the set|known)$/.test(why)) continue
      const { status, body } = await client.send(operation, { as, params, body: JSON.stringify(broken) })
      t.equal(status, 422, why)
      const [{ pointer, detail, ...rest }] = body.errors
      t.same(rest, {}, why)
      t.match(pointer, /^#\//, why)
      if (/set$/.test(why))
        for (const word of wordsOf(schemaAt(operation.body, pointer))) t.match(detail, String(word), why)
    }
  },
)

const CHALLENGE = 'Bearer error="insufficient_scope"'

each(
  operations.filter(({ access }) => access.kind !== 'public'),
  '403 names the scope or the role that is missing',
  async (t, operation) => {
    const scope = scopeOf(operation)
    const key = await createKey(test, world.organization.id, ...scopeNames.filter(name => name !== scope))
    const refused = await client.send(operation, { as: key, params: ids(operation) })
    t.equal(refused.status, 403)
    t.equal(refused.headers['www-authenticate'], scope ? `${CHALLENGE}, scope="${scope}"` : CHALLENGE)
    t.match(refused.body.detail, scope ?? 'signed-in user')
    const { access } = operation
    if (access.kind === 'platform') await lacks(t, operation, 'owner', access.role)
    if (access.kind !== 'organization') return
    for (const role of ROLES.filter(role => !reachesRole(role, access.role)))
      await lacks(t, operation, role, access.role)
  },
)

async function lacks(t: Test, operation: Operation, as: (typeof ROLES)[number], needed: string) {
  const params = await world.paramsOf(operation, callerOf(operation))
  const body = await world.bodyOf(operation, params, callerOf(operation))
  const { status, headers, body: problem } = await client.send(operation, { as: world.organization[as], params, body })
  t.same([status, headers['www-authenticate']], [403, CHALLENGE], as)
  t.match(problem.detail, `role ${needed}`)
}
