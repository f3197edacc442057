import t from 'tap'
import type { TestUser } from '../helpers/actors.ts'
import { testApp } from '../helpers/app.ts'
import type { Answer } from '../helpers/call.ts'
import { startServices } from '../helpers/services.ts'
import { type Change, ChangeLog } from './changes.ts'
import { Client } from './client.ts'
import { eachBy } from './each.ts'
import { faultsOf } from './effects.ts'
import { secrets } from './secrets.ts'
import { type Json, type Operation, Specification } from './specification.ts'
import { World } from './world.ts'

/**
 * Checks that every operation writes only what it may, in the whole database; generated from the document and the
 * catalogue.
 */
const services = await startServices(t)
const test = await testApp(t, services)
const specification = new Specification(test.app)
const client = new Client(test, specification)
const log = await ChangeLog.open(test)

interface Request {
  as: TestUser | null
  params: Record<string, string>
  body: Json
  query?: Record<string, string>
}

const callerOf = ({ access }: Operation, at: World): TestUser | null => {
  if (access.kind === 'public') return null
  return access.kind === 'platform' ? at.platformAdmin : at.organization.owner
}

/** Builds a valid request, with a sibling of each row that it names. */
async function requestOf(operation: Operation, at: World): Promise<Request> {
  const as = callerOf(operation, at)
  const maker = as ?? at.organization.owner
  const sibling = await at.paramsOf(operation, maker)
  const params = at.isSpent ? sibling : await at.paramsOf(operation, maker)
  const body = await at.bodyOf(operation, params, maker)
  const secret = await secrets[operation.id]?.(test, at, body)
  const scoped = operation.parameters.some(({ name }) => name === 'organizationId')
  const query = scoped ? { query: { organizationId: at.organization.id } } : {}
  return { as: secret?.as ?? as, params, body: secret ? secret.body : body, ...query }
}

const isSuccess = ({ status }: Answer) => status >= 200 && status < 400

/** Sends the request while a stranger sends the same; returns the response and what was written. */
async function send(operation: Operation, request: Request, stranger?: TestUser): Promise<[Answer, Change[]]> {
  await log.take()
  const [answer, other] = await Promise.all([
    client.send(operation, request),
    stranger && client.send(operation, { ...request, as: stranger }),
  ])
  if (other && other.status !== 404) throw new Error(`a stranger is answered ${other.status}`)
  return [answer, await log.take()]
}

/** Returns other actions on the same resource, which may be needed before this one changes something. */
const actionsBeside = ({ path, id }: Operation): Operation[] => {
  const resource = path.slice(0, path.lastIndexOf('/'))
  return specification.all.filter(
    other => other.id !== id && other.method === 'POST' && !other.body && other.path.startsWith(`${resource}/`),
  )
}

async function perform(operation: Operation, request: Request, at: World): Promise<[Answer, Change[]]> {
  const stranger = operation.access.kind === 'organization' ? at.organization.outsider : undefined
  let done = await send(operation, request, stranger)
  for (const before of actionsBeside(operation)) {
    if (done[1].length > 0 || !isSuccess(done[0])) break
    await client.send(before, request)
    done = await send(operation, request, stranger)
  }
  return done
}

const each = eachBy(t, client)

const operations = specification.chosen(t)
/** A read that writes declares its effects and is checked like a write. */
const writes = ({ id, method }: Operation) => method !== 'GET' || test.app.effects.has(id)
const world = () => World.create(test, client, specification)

each(operations.filter(writes), 'changes what it is meant to change, and records that', async (t, operation) => {
  const at = await world()
  const request = await requestOf(operation, at)
  const [answer, made] = await perform(operation, request, at)
  t.ok(isSuccess(answer), `${answer.status}: what it takes besides its example is made in test/contract/secrets.ts`)
  const { as: caller, params, body } = request
  const effects = test.app.effects.get(operation.id) ?? {}
  t.same(faultsOf(log, { operation, params, body, caller, answer, effects }, made), [])
})

each(
  operations.filter(operation => !writes(operation)),
  'writes nothing',
  async (t, operation) => {
    const at = await world()
    const [answer, made] = await send(operation, await requestOf(operation, at))
    t.ok(isSuccess(answer), String(answer.status))
    t.same(made, [])
  },
)

each(
  operations.filter(({ parameters }) => parameters.some(({ name }) => name === 'If-Match')),
  'with another version it is 412 and changes nothing',
  async (t, operation) => {
    const at = await world()
    const request = await requestOf(operation, at)
    await log.take()
    for (const tag of ['"2147483"', '"1000000", "1000001"', 'W/"1"', '"x"']) {
      const { status } = await client.send(operation, { ...request, headers: { 'if-match': tag } })
      t.equal(status, 412, tag)
    }
    t.same(await log.take(), [], 'nothing has changed')
    const { status } = await client.send(operation, { ...request, headers: { 'if-match': '"1"' } })
    t.ok(status < 300, `with its own it is ${status}`)
  },
)
