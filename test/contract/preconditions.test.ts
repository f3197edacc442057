import t from 'tap'
import { newId } from '../../src/lib/ids.ts'
import { testApp } from '../helpers/app.ts'
import type { Credentials } from '../helpers/call.ts'
import { ChangeLog } from './changes.ts'
import { Client } from './client.ts'
import { type Operation, Specification } from './specification.ts'
import { World } from './world.ts'

/** Checks RFC 9110 §13 for every operation on a resource with a version, generated from the document. */
const test = await testApp(t)
const specification = new Specification(test.app)
const client = new Client(test, specification)
const log = await ChangeLog.open(test)
const operations = specification.chosen(t)

const answers = ({ responses }: Operation) =>
  specification.resolve(responses['200']?.content?.['application/json']?.schema)
/** A response with `updatedAt` is a row with a version. */
const isVersioned = (operation: Operation) => answers(operation)?.properties?.updatedAt !== undefined
/** Finds an operation that returns the version of the resource at `path`: a read, or else a change. */
const teller = (path: string) =>
  ['GET', 'PATCH'].flatMap(method => specification.find(method, path) ?? []).find(isVersioned)

/** Finds the versioned resource of a write: the one that its path names, or to which an action is appended. */
function resourceOf({ method, path, responses }: Operation): Operation | undefined {
  if (method === 'GET') return undefined
  // What is made, now or later, is another resource than the one that its path names.
  const isAction = method === 'POST' && !responses['201'] && !responses['202'] && !specification.find('GET', path)
  return teller(path) ?? (isAction ? teller(path.replace(/\/[^/{}]+$/, '')) : undefined)
}

const conditional = operations.filter(resourceOf)
const ABSENT = '"999999"'

interface Prepared {
  /** Sends an otherwise valid request with these headers. */
  send(headers: Record<string, string>, params?: Record<string, string>): Promise<{ status: number; etag: string }>
  params: Record<string, string>
  /** The version of the resource, as a tag. */
  current: string
}

async function prepare(operation: Operation): Promise<Prepared> {
  const at = await World.create(test, client, specification)
  const as: Credentials = operation.access.kind === 'platform' ? at.platformAdmin : at.organization.owner
  const params = await at.paramsOf(operation, as)
  const body = await at.bodyOf(operation, params, as)
  const resource = resourceOf(operation) as Operation
  const told = await client.send(resource, {
    as,
    params,
    body: resource.method === 'GET' ? undefined : await at.bodyOf(resource, params, as),
  })
  const send: Prepared['send'] = async (headers, others = params) => {
    const answer = await client.send(operation, { as, params: others, body, headers })
    return { status: answer.status, etag: answer.headers.etag ?? '' }
  }
  return { send, params, current: told.headers.etag as string }
}

const isSuccess = (status: number) => status >= 200 && status < 300

t.test('what has a version is told apart', async t => {
  const ids = specification.all.filter(resourceOf).map(({ id }) => id)
  for (const id of [
    'updateTask',
    'deleteTask',
    'completeTask',
    'moveTask',
    'rotateApiKey',
    'deleteMe',
    'resendInvitation',
  ])
    t.ok(ids.includes(id), id)
  for (const id of ['createTask', 'createProject', 'updateTasks', 'login', 'logout']) t.notOk(ids.includes(id), id)
})

/** One for each operation, since they mean the same for all. */
const HOLDING: ((current: string) => Record<string, string>)[] = [
  current => ({ 'if-match': `${ABSENT}, ${current}` }),
  () => ({ 'if-match': '*', 'if-none-match': ABSENT }),
  () => ({ 'if-none-match': `${ABSENT}, "nonsense"` }),
  current => ({ 'if-match': current, 'if-none-match': ABSENT }),
]

t.test('what is created is not there before: If-None-Match: * holds', async t => {
  const at = await World.create(test, client, specification)
  for (const operation of operations) {
    if (!operation.responses['201'] || operation.access.kind !== 'organization') continue
    const as = at.organization.owner
    const params = await at.paramsOf(operation, as)
    const body = await at.bodyOf(operation, params, as)
    const { status } = await client.send(operation, { as, params, body, headers: { 'if-none-match': '*' } })
    t.equal(status, 201, operation.id)
  }
})

for (const operation of conditional) {
  t.test(`${operation.id}: a condition that does not hold is 412 and changes nothing`, async t => {
    client.faults.length = 0
    const { send, params, current } = await prepare(operation)
    await log.forget()
    for (const headers of [
      { 'if-match': ABSENT },
      { 'if-match': `W/${current}` },
      { 'if-match': current.replaceAll('"', '') },
      { 'if-match': '' },
      { 'if-none-match': '*' },
      { 'if-none-match': current },
      { 'if-none-match': `${ABSENT}, W/${current}` },
      { 'if-match': '*', 'if-none-match': current },
      { 'if-match': current, 'if-none-match': '*' },
      { 'if-match': ABSENT, 'if-none-match': ABSENT },
    ] as Record<string, string>[])
      t.equal((await send(headers)).status, 412, JSON.stringify(headers))
    t.same(await log.take(), [], 'nothing has changed')
    for (const name of Object.keys(params))
      t.equal((await send({ 'if-match': ABSENT }, { ...params, [name]: newId() })).status, 404, `${name} of nothing`)
    t.same(client.faults, [], 'every answer fits the document')
  })

  t.test(`${operation.id}: a condition that holds lets it pass, once`, async t => {
    const holds = HOLDING[conditional.indexOf(operation) % HOLDING.length] as (typeof HOLDING)[number]
    const once = await prepare(operation)
    const { status } = await once.send(holds(once.current))
    t.ok(isSuccess(status), `${JSON.stringify(holds(once.current))}: ${status}`)
    const { send, current } = await prepare(operation)
    const both = await Promise.all([send({ 'if-match': current }), send({ 'if-match': current })])
    t.ok(both.some(({ status }) => isSuccess(status)))
    // The second request may find its change already done, under the version that it named.
    const changes = both.filter(({ status, etag }) => isSuccess(status) && etag !== current)
    if (isVersioned(operation) && answers(operation).title === answers(resourceOf(operation) as Operation).title)
      t.ok(changes.length <= 1, `${changes.length} changes of one version`)
  })
}

for (const operation of operations.filter(operation => operation.method === 'GET' && isVersioned(operation))) {
  t.test(`${operation.id}: conditions hold for reading too`, async t => {
    const at = await World.create(test, client, specification)
    const as: Credentials = operation.access.kind === 'platform' ? at.platformAdmin : at.organization.owner
    const params = await at.paramsOf(operation, as)
    const read = async (headers: Record<string, string>) => client.send(operation, { as, params, headers })
    const current = (await read({})).headers.etag as string
    for (const [status, headers] of [
      [304, { 'if-none-match': current }],
      [304, { 'if-none-match': '*' }],
      [304, { 'if-match': current, 'if-none-match': `W/${current}` }],
      [200, { 'if-none-match': ABSENT }],
      [200, { 'if-match': `${ABSENT}, ${current}` }],
      [200, { 'if-match': '*' }],
      [412, { 'if-match': ABSENT }],
      [412, { 'if-match': `W/${current}`, 'if-none-match': current }],
    ] as [number, Record<string, string>][])
      t.equal((await read(headers)).status, status, JSON.stringify(headers))
  })
}
