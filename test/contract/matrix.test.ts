import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { testApp } from '../helpers/app.ts'
import { startServices } from '../helpers/services.ts'
import { accountFor, CALLERS, type CallerName, callerIn } from './callers.ts'
import { Client } from './client.ts'
import { type Operation, Specification } from './specification.ts'
import { ROLES, World } from './world.ts'

/** The status of every operation for every kind of caller, in one file for each domain. */
const DOMAINS = fileURLToPath(new URL('../domains/', import.meta.url))
const goldenOf = (domain: string) => join(DOMAINS, domain, 'matrix.txt')
/** Writes the files again; review the difference carefully. */
const COMMAND = 'UPDATE_MATRIX=1 npm test -- test/contract/matrix.test.ts'
const NAME_CHARACTERS = 30
const CELL_CHARACTERS = 4

const services = await startServices(t)
const test = await testApp(t, services)
const specification = new Specification(test.app)
const client = new Client(test, specification)

const isRole = (name: CallerName): name is (typeof ROLES)[number] => ROLES.includes(name as (typeof ROLES)[number])

/** Sends a valid request. What it needs is created by the caller if a member may, otherwise by the owner. */
async function statusOf(operation: Operation, at: World, name: CallerName): Promise<number> {
  const as = await callerIn(test, at, operation)(name)
  const maker = isRole(name) && as ? as : at.organization.owner
  const params = await at.paramsOf(operation, maker)
  const body = await at.bodyOf(operation, params, maker)
  if (typeof body?.email === 'string') body.email = await accountFor(test, name)
  const scoped = operation.parameters.some(parameter => parameter.name === 'organizationId')
  const query = scoped ? { query: { organizationId: at.organization.id } } : {}
  return (await client.send(operation, { as, params, body, ...query })).status
}

async function rowOf(operation: Operation): Promise<string> {
  const statuses: number[] = []
  let world = await World.create(test, client, specification)
  for (const name of CALLERS) {
    const status = await statusOf(operation, world, name)
    statuses.push(status)
    // A refused request has changed nothing.
    if (world.isSpent || (status < 400 && operation.method !== 'GET'))
      world = await World.create(test, client, specification)
  }
  return operation.id.padEnd(NAME_CHARACTERS) + statuses.map(status => String(status).padEnd(CELL_CHARACTERS)).join(' ')
}

/** The column names, each on its own line above its column. */
const header = CALLERS.map((name, at) => {
  const bars = '|'.padEnd(CELL_CHARACTERS + 1).repeat(at)
  return `${' '.repeat(NAME_CHARACTERS)}${bars}${name}`
})

const nameOf = (row: string) => row.split(' ', 1)[0]

const chosen = specification.chosen(t)
for (const { name, tag } of test.app.domains) {
  const isOwn = (operation: Operation) => operation.tag === tag.name
  const operations = chosen.filter(isOwn)
  if (operations.length === 0) continue
  t.test(`${name}: every operation answers every kind of caller with the status of the golden file`, async t => {
    const found = [...header]
    for (const operation of operations) found.push((await rowOf(operation)).trimEnd())
    t.same(client.faults.splice(0), [], 'every answer fits the document')
    const file = goldenOf(name)
    if (process.env.UPDATE_MATRIX) writeFileSync(file, `${found.join('\n')}\n`)
    t.ok(existsSync(file), `test/domains/${name}/matrix.txt is there; ${COMMAND} writes it`)
    const golden = existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []
    const all = specification.all.filter(isOwn).map(({ id }) => id)
    t.same(golden.slice(header.length).map(nameOf), all, `the file names every operation and no other: ${COMMAND}`)
    for (const row of found) t.ok(golden.includes(row), row)
  })
}
