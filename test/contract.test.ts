import t from 'tap'
import { PLATFORM_ROLES, type PlatformRole, reachesPlatformRole, reachesRole, scopeNames } from '../src/lib/access.ts'
import { newId } from '../src/lib/ids.ts'
import { ChangeLog } from './contract/changes.ts'
import { Client } from './contract/client.ts'
import { eachBy } from './contract/each.ts'
import { mutationsOf } from './contract/mutations.ts'
import { type Operation, Specification } from './contract/specification.ts'
import { ROLES, World } from './contract/world.ts'
import { createKey, createUser } from './helpers/actors.ts'
import { testApp } from './helpers/app.ts'
import type { Credentials } from './helpers/call.ts'
import { startServices } from './helpers/services.ts'

/** Everything below is made from the OpenAPI document: a new route is covered without a line here. */
const services = await startServices(t)
const test = await testApp(t, services)
const specification = new Specification(test.app)
const client = new Client(test, specification)
const log = await ChangeLog.open(test)
const operations = specification.chosen(t)

/** Values of parameters that are no ids, which name nothing. */
const NOBODYS: Record<string, string> = { address: `0x${'9'.repeat(40)}`, name: 'nothing.at_all' }

const world = () => World.create(test, client, specification)
const isSuccess = (status: number) => status >= 200 && status < 400

/** One test for each of `some`, which also fails when an answer did not fit the document. */
const each = eachBy(t, client)

/** Makes what the operation needs in a world of its own, and sends it as it should be sent. */
async function succeed(operation: Operation, at: World, as: Credentials, maker = as): Promise<number> {
  const params = await at.paramsOf(operation, maker)
  const body = await at.bodyOf(operation, params, maker)
  const scoped = operation.parameters.some(({ name }) => name === 'organizationId')
  const query = scoped ? { organizationId: at.organization.id } : undefined
  return (await client.send(operation, { as, params, body, ...(query ? { query } : {}) })).status
}

const closed = operations.filter(({ access }) => access.kind !== 'public')
const tenant = operations.filter(({ access }) => access.kind === 'organization')
const keyed = closed.filter(({ access }) => 'scope' in access && access.scope !== undefined)
const unkeyed = closed.filter(({ access }) => !('scope' in access) || access.scope === undefined)
/** Somebody whom the rule lets in. */
const mayCall = ({ access }: Operation, at: World) =>
  access.kind === 'platform' ? at.platformAdmin : at.organization.owner
const scopeOf = ({ access }: Operation) => ('scope' in access ? access.scope : undefined)
/** What only a mail holds, or a wallet makes, is not made here: that it is refused, and not the caller, is all there is to see. */
const takesToken = ({ body }: Operation) => Boolean(body?.properties?.token ?? body?.properties?.signature)
const platformRoleOf = ({ access }: Operation) => (access.kind === 'organization' ? access.orPlatform : undefined)
const withBody = operations.filter(({ body }) => body !== undefined)

each(closed, 'nobody is 401, and so are credentials that are not valid', async (t, operation) => {
  const params = await (await world()).paramsOf(operation, (await world()).organization.owner)
  t.equal((await client.send(operation, { params })).status, 401)
  for (const authorization of ['Bearer x', 'Bearer a.b.c', 'Basic dXNlcjpwYXNz', 'Bearer ltl_test_0', 'Bearer'])
    t.equal((await client.send(operation, { params, headers: { authorization } })).status, 401, authorization)
})

each(tenant, 'each role gets what the rule says', async (t, operation) => {
  if (operation.access.kind !== 'organization') return
  for (const role of ROLES) {
    const at = await world()
    const allowed = reachesRole(role, operation.access.role)
    const before = await (allowed ? undefined : at.paramsOf(operation, at.organization[role]))
    const status = before
      ? await refused(operation, at, at.organization[role], before)
      : await succeed(operation, at, at.organization[role])
    t.ok(allowed ? isSuccess(status) : status === 403, `${role}: ${status}`)
  }
})

async function refused(operation: Operation, at: World, as: Credentials, params: Record<string, string>) {
  const body = await at.bodyOf(operation, params, at.organization.owner)
  return (await client.send(operation, { as, params, body })).status
}

each(tenant, 'another organization is 404 and changes nothing', async (t, operation) => {
  const at = await world()
  const { owner, outsider } = at.organization
  const params = await at.paramsOf(operation, owner)
  const body = await at.bodyOf(operation, params, owner)
  const scope = scopeOf(operation)
  const key = scope ? [await createKey(test, outsider.organizationId, scope)] : []
  const stranger = await createUser(test)
  await log.forget()
  for (const as of [outsider, stranger, ...(platformRoleOf(operation) ? [] : [at.platformAdmin]), ...key]) {
    t.equal((await client.send(operation, { as, params, body })).status, 404)
    const headers: Record<string, string> = operation.method === 'POST' ? { 'idempotency-key': newId() } : {}
    t.equal((await client.send(operation, { as, params, body, headers })).status, 404, 'with an idempotency key')
  }
  t.same(await log.take(), [], 'nothing has changed')
})

each(
  tenant.filter(platformRoleOf),
  'the platform’s own people get in from the role on that the rule says',
  async (t, operation) => {
    for (const role of PLATFORM_ROLES) {
      const at = await world()
      const params = await at.paramsOf(operation, at.organization.owner)
      const body = await at.bodyOf(operation, params, at.organization.owner)
      const { status } = await client.send(operation, { as: await createUser(test, { role }), params, body })
      const allowed = reachesPlatformRole(role, platformRoleOf(operation) as PlatformRole)
      t.ok(allowed ? isSuccess(status) : status === 404, `${role}: ${status}`)
    }
  },
)

each(
  operations.filter(({ path }) => path.includes('{')),
  'an id of nothing is 404, what is no id is 422',
  async (t, operation) => {
    const at = await world()
    const as = mayCall(operation, at)
    const params = await at.paramsOf(operation, as)
    const body = await at.bodyOf(operation, params, as)
    for (const name of Object.keys(params)) {
      const unknown = { ...params, [name]: NOBODYS[name] ?? newId() }
      t.equal((await client.send(operation, { as, params: unknown, body })).status, 404, `${name} of nothing`)
      const malformed = { ...params, [name]: 'not-an-id' }
      t.equal((await client.send(operation, { as, params: malformed, body })).status, 422, `malformed ${name}`)
    }
  },
)

each(keyed, 'a key needs the scope', async (t, operation) => {
  const scope = scopeOf(operation)
  const at = await world()
  const others = ['organization:read', 'projects:read', 'tasks:write', 'events:read'] as const
  const without = await createKey(test, at.organization.id, ...others.filter(other => other !== scope))
  const params = await at.paramsOf(operation, at.organization.owner)
  const body = await at.bodyOf(operation, params, at.organization.owner)
  t.equal((await client.send(operation, { as: without, params, body })).status, 403, 'without')
  if (!scope) return
  const key = await createKey(test, at.organization.id, scope)
  const status = await succeed(operation, at, key, at.organization.owner)
  t.ok(isSuccess(status), `with ${scope}: ${status}`)
})

each(unkeyed, 'no key gets in', async (t, operation) => {
  const at = await world()
  const params = await at.paramsOf(operation, at.organization.owner)
  const key = await createKey(test, at.organization.id, ...scopeNames)
  t.equal((await client.send(operation, { as: key, params })).status, 403)
})

each(
  closed.filter(({ access }) => access.kind === 'user' || access.kind === 'caller'),
  'a signed-in user gets in',
  async (t, operation) => {
    const at = await world()
    const status = await succeed(operation, at, at.organization.owner)
    t.ok(isSuccess(status) || (takesToken(operation) && status === 400), String(status))
  },
)

each(
  closed.filter(({ access }) => access.kind === 'platform'),
  'only the platform’s own people get in',
  async (t, operation) => {
    const at = await world()
    const params = await at.paramsOf(operation, at.platformAdmin)
    t.equal((await client.send(operation, { as: at.organization.owner, params })).status, 403)
    t.ok(isSuccess(await succeed(operation, at, at.platformAdmin)))
  },
)

each(withBody, 'what the schema does not allow is 422', async (t, operation) => {
  const at = await world()
  const as = mayCall(operation, at)
  const params = await at.paramsOf(operation, as)
  const body = await at.bodyOf(operation, params, as)
  await log.forget()
  const wrong: string[] = []
  for (const { why, body: broken } of mutationsOf(specification, operation.body, body)) {
    const { status } = await client.send(operation, { as, params, body: JSON.stringify(broken) })
    if (status !== 422) wrong.push(`${why}: ${status}`)
  }
  t.same(wrong, [])
  t.same(await log.take(), [], 'nothing has changed')
})

const MIB = 1_048_576

each(withBody, 'what is no JSON, too large or of another type is refused', async (t, operation) => {
  const at = await world()
  const as = mayCall(operation, at)
  const params = await at.paramsOf(operation, as)
  const sound = JSON.stringify(await at.bodyOf(operation, params, as))
  const send = async (body: string, type = 'application/json') =>
    (await client.send(operation, { as, params, body, headers: { 'content-type': type } })).status
  await log.forget()
  // Where a body may be left out, nothing is no body.
  const nothing = [operation.body.type].flat().includes('null') ? [] : ['']
  for (const text of ['{', '{"a":}', 'text', '[1,', '{"a":1}{', "{'a':1}", ...nothing])
    t.equal(await send(text), 400, text)
  t.equal(await send(`"${'a'.repeat(MIB)}"`), 413)
  for (const type of [
    'text/plain',
    'application/xml',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/jsonp',
    'nonsense',
  ])
    t.equal(await send(sound, type), 415, type)
  for (const poison of ['"__proto__":{"role":"owner"}', '"constructor":{"prototype":{"role":"owner"}}'])
    t.ok([400, 422].includes(await send(`{${poison}}`)), poison)
  const merged = sound.replace(/^\{/, '{"__proto__":{"role":"owner"},')
  t.ok([400, 422].includes(await send(merged)), 'among sound properties')
  t.same(await log.take(), [], 'nothing has changed')
})

each(
  operations.filter(
    ({ method, body, uploads, access }) =>
      method !== 'GET' && body === undefined && !uploads && access.kind !== 'public',
  ),
  'a body that nothing asks for is refused',
  async (t, operation) => {
    const at = await world()
    const as = mayCall(operation, at)
    const params = await at.paramsOf(operation, as)
    const send = async (body: unknown, type = 'application/json') =>
      (await client.send(operation, { as, params, body, headers: { 'content-type': type } })).status
    t.equal(await send({ unknown: 1 }), 422)
    t.equal(await send('{'), 400)
    t.equal(await send('text', 'text/plain'), 415)
    t.equal(await send(`"${'a'.repeat(MIB)}"`), 413)
  },
)

each(
  operations.filter(({ parameters }) => parameters.some(parameter => parameter.in === 'query')),
  'a query that the schema does not allow is 422',
  async (t, operation) => {
    const at = await world()
    const as = mayCall(operation, at)
    const params = await at.paramsOf(operation, as)
    const base = operation.parameters.some(({ name }) => name === 'organizationId')
      ? { organizationId: at.organization.id }
      : {}
    for (const query of badQueries(operation))
      t.equal(
        (await client.send(operation, { as, params, query: { ...base, ...query } })).status,
        422,
        JSON.stringify(query),
      )
    if (!operation.parameters.some(({ name }) => name === 'limit')) return
    const many = await client.send(operation, { as, params, query: { ...base, limit: '1000000' } })
    t.equal(many.body.meta.limit, 100, 'a limit above 100 becomes 100')
  },
)

function badQueries({ parameters }: Operation): Record<string, string>[] {
  const query = parameters.filter(parameter => parameter.in === 'query')
  return [
    { unknown: '1' },
    ...query.flatMap(({ name, schema }) => {
      if (schema.enum) return [{ [name]: 'not-in-the-set' }]
      if (schema.type === 'integer')
        return ['text', '1.5', String(schema.minimum - 1)].map(value => ({ [name]: value }))
      if (schema.format) return [{ [name]: 'nonsense' }]
      return schema.type === 'string' ? [{ [name]: 'a\u0000b' }] : []
    }),
  ]
}

each(
  operations.filter(({ keyRequired }) => keyRequired),
  'without an idempotency key it is 400',
  async (t, operation) => {
    const at = await world()
    const params = await at.paramsOf(operation, at.organization.owner)
    const body = await at.bodyOf(operation, params, at.organization.owner)
    const headers = { 'idempotency-key': '' }
    t.equal((await client.send(operation, { as: at.organization.owner, params, body, headers })).status, 400)
  },
)
