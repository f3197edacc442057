import t from 'tap'
import { newId } from '../../src/lib/ids.ts'
import { listen, testApp } from '../helpers/app.ts'
import type { Credentials } from '../helpers/call.ts'
import { startServices } from '../helpers/services.ts'
import { ChangeLog } from './changes.ts'
import { Client } from './client.ts'
import { eachBy } from './each.ts'
import { listFaults, readAll } from './lists.ts'
import { fillings } from './secrets.ts'
import { type Json, type Operation, Specification, streams } from './specification.ts'
import { isCreator, Tenant } from './tenant.ts'

/** Two organizations full of rows are read and written side by side: no row of one appears in the other. */
const services = await startServices(t)
const test = await testApp(t, services)
const specification = new Specification(test.app)
const client = new Client(test, specification)
const log = await ChangeLog.open(test)
const setting = { test, client, specification, log }
const ours = await Tenant.create(setting)
const theirs = await Tenant.create(setting)
const operations = specification.chosen(t)

const each = eachBy(t, client)

const isRead = (operation: Operation) => operation.method === 'GET' && !streams(operation)
const reads = operations.filter(isRead)
/** Whether the rows are those of the platform, which everybody reads and only its admins write. */
const isPlatforms = (collection: string) => specification.creatorOf(collection)?.access.kind === 'platform'
const isShared = ({ path }: Operation) => isPlatforms(path.split('/')[1] as string)
const isTenants = (operation: Operation) =>
  operation.access.kind !== 'public' && operation.access.kind !== 'platform' && !isShared(operation)
const queryOf = ({ parameters }: Operation, { world }: Tenant): Record<string, string> =>
  parameters.some(({ name }) => name === 'organizationId') ? { organizationId: world.organization.id } : {}

each(reads.filter(isTenants), 'shows nobody a row of another organization', async (t, operation) => {
  const [mine, other] = [await ours.paramsOf(operation), await theirs.paramsOf(operation)]
  const ask = (as: Credentials | undefined, params: Record<string, string>, at: Tenant) =>
    client.send(operation, { as, params, query: queryOf(operation, at) })
  for (const [at, as] of ours.callers.entries()) {
    // All requests at once, so that they share statements where possible.
    const [own, their, across, back] = await Promise.all([
      ask(as, mine, ours),
      ask(theirs.callers[at], other, theirs),
      ask(as, other, theirs),
      ask(theirs.callers[at], mine, ours),
    ])
    t.same([theirs.tracesIn(own), ours.tracesIn(their)], [[], []], 'side by side')
    t.same([theirs.tracesIn(across), ours.tracesIn(back)], [[], []], 'asking for the other’s')
  }
})

const lists = reads.filter(
  operation => !isShared(operation) && operation.parameters.some(({ name }) => name === 'limit'),
)

each(lists, 'has its rows, all of them and no others, by every sort and filter', async (t, operation) => {
  const params = await ours.paramsOf(operation)
  await fillings[operation.id]?.(test, params)
  const as = operation.access.kind === 'platform' ? ours.world.platformAdmin : ours.owner
  const scope = queryOf(operation, ours)
  // A list over all organizations can be filtered by one.
  const base: Record<string, string> = operation.access.kind === 'platform' && scope.organizationId ? {} : scope
  const faults = await listFaults(operation, params, query =>
    client.send(operation, { as, params, query: { ...base, ...query } }),
  )
  t.same(faults, [])
  if (operation.access.kind !== 'platform' || !scope.organizationId) return
  const rows = await readAll(query => client.send(operation, { as, params, query: { ...scope, ...query } }))
  t.ok(rows.length > 0)
  t.same([...new Set(rows.map(row => row.organizationId))], [ours.world.organization.id])
})

each(
  operations.filter(operation => isTenants(operation) && operation.path.split('{').length > 2),
  'finds nothing below a parent that is another’s',
  async (t, operation) => {
    const params = await ours.world.paramsOf(operation, ours.owner)
    const sibling = await ours.world.paramsOf(operation, ours.owner)
    const foreign = await theirs.world.paramsOf(operation, theirs.owner)
    const body = await ours.world.bodyOf(operation, params, ours.owner)
    const [first, ...rest] = Object.keys(params)
    const last = rest.at(-1) as string
    await log.take()
    for (const child of [foreign, ...(sibling[first as string] === params[first as string] ? [] : [sibling])]) {
      const crossed = { ...params, [last]: child[last] as string }
      const { status } = await client.send(operation, { as: ours.owner, params: crossed, body })
      t.equal(status, 404)
    }
    t.same(await log.take(), [], 'nothing has changed')
  },
)

/** Returns every place of a body that takes an id, also optional ones. */
function idPlaces(given: Json, path: string[] = []): string[][] {
  const schema = specification.resolve(given)
  if (schema?.format === 'uuid') return [path]
  if (schema?.items) return idPlaces(schema.items, [...path, '0'])
  return Object.entries<Json>(schema?.properties ?? {}).flatMap(([name, value]) => idPlaces(value, [...path, name]))
}

function withId(body: Json, place: string[], id: string): Json {
  const copy = structuredClone(body)
  let at = copy
  for (const step of place.slice(0, -1)) at = at[step]
  at[place.at(-1) as string] = id
  return copy
}

const naming = operations.filter(operation => isTenants(operation) && idPlaces(operation.body).length > 0)

each(naming, 'takes no id of another organization', async (t, operation) => {
  const { world, owner } = ours
  const params = await world.paramsOf(operation, owner)
  const body = await world.bodyOf(operation, params, owner)
  await log.take()
  for (const place of idPlaces(operation.body))
    for (const [table, id] of theirs.rows) {
      if (isPlatforms(table)) continue
      const sent = withId(body, place, id)
      const { status } = await client.send(operation, { as: owner, params, body: sent })
      t.ok(status >= 400 && status < 500, `${place.join('.')} of ${table}: ${status}`)
    }
  t.same(await log.take(), [], 'nothing has changed')
})

each(
  naming.filter(({ body, path }) => path.includes('{') && idPlaces(body).some(place => place.at(-1) === 'id')),
  'reaches no row of another parent',
  async (t, operation) => {
    const { world, owner } = ours
    const [params, elsewhere] = [await world.paramsOf(operation, owner), await world.paramsOf(operation, owner)]
    const body = await world.bodyOf(operation, elsewhere, owner)
    await log.take()
    const { status } = await client.send(operation, { as: owner, params, body })
    t.ok(status >= 400 && status < 500, String(status))
    t.same(await log.take(), [], 'nothing has changed')
  },
)

const BOUND_MS = 20_000

/** A stream of everything that happens; other streams end with what they are about. */
const followsAll = (operation: Operation) => streams(operation) && operation.path.endsWith('/events/stream')

each(operations.filter(followsAll), 'carries nothing of another organization', async (t, operation) => {
  const base = await listen(test.app)
  const creator = specification.all.find(other => isCreator(other) && other.access.kind === 'organization') as Operation
  const params = await ours.world.paramsOf(operation, ours.owner)
  const path = operation.path.replace(/\{(\w+)\}/g, (_, name: string) => params[name] as string)
  const end = AbortSignal.timeout(BOUND_MS)
  const answer = await fetch(`${base}/api/v1${path}`, { headers: ours.owner.headers, signal: end })
  t.equal(answer.status, 200)
  const add = async (at: Tenant) => at.add(creator, await at.world.paramsOf(creator, at.owner), 1)
  await add(theirs)
  const last = await add(ours)
  let text = ''
  for await (const chunk of (answer.body as ReadableStream<Uint8Array>).pipeThrough(new TextDecoderStream())) {
    text += chunk
    if (text.includes(last)) break
  }
  t.same(theirs.tracesIn({ text } as never), [])
})

t.test('what is looked for can be found: an organization sees its own', async t => {
  const found = new Set<string>()
  for (const operation of specification.all.filter(isRead).filter(isTenants)) {
    const params = await ours.paramsOf(operation)
    const answer = await client.send(operation, { as: ours.owner, params, query: queryOf(operation, ours) })
    for (const trace of ours.tracesIn(answer)) found.add(trace)
  }
  t.ok(found.has(ours.canary))
  t.notOk(found.has(newId()))
  t.ok(found.size > Math.min(10, reads.filter(isTenants).length), `${found.size} ids`)
})
