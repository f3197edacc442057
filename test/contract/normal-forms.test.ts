import t from 'tap'
import { testApp } from '../helpers/app.ts'
import { startServices } from '../helpers/services.ts'
import { Client, type Sending } from './client.ts'
import { type Json, type Operation, Specification, streams } from './specification.ts'
import { abnormalIn, type Place, placesOf, refusedBy, unusualOf, type Wire } from './values.ts'
import { World } from './world.ts'

/** No accepted value is too large for its column, and stored values have one form. */
const services = await startServices(t)
const test = await testApp(t, services)
const specification = new Specification(test.app)
const client = new Client(test, specification)
const operations = specification.chosen(t, operation => !streams(operation))
const HOLE = 'here-goes-the-value'

const callerIn = ({ access }: Operation, at: World) =>
  access.kind === 'platform' ? at.platformAdmin : at.organization.owner

async function soundIn(operation: Operation, at: World): Promise<Sending> {
  const as = callerIn(operation, at)
  const params = await at.paramsOf(operation, as)
  const scoped = operation.parameters.some(({ name }) => name === 'organizationId')
  const query: Record<string, string> = scoped ? { organizationId: at.organization.id } : {}
  return { as, params, query, body: await at.bodyOf(operation, params, as) }
}

/** Returns `sound` with other values in some of its places. */
function withValues(sound: Sending, values: [Place, Wire][]): Sending {
  const sending: Json = structuredClone(sound)
  const inBody: string[] = []
  for (const [{ at, path }, { text, json }] of values) {
    const name = String(path[0])
    if (at === 'path') sending.params[name] = text
    if (at === 'query') sending.query[name] = text
    if (at === 'header') sending.headers = { ...sending.headers, [name]: text }
    if (at === 'body') sending.body = filled(sending.body, path, `${HOLE}${inBody.push(json) - 1}.`)
  }
  // Numbers are inserted as text, because JavaScript would change them.
  if (inBody.length > 0)
    sending.body = JSON.stringify(sending.body).replace(
      new RegExp(`"${HOLE}(\\d+)\\."`, 'g'),
      (_, nth: number) => inBody[nth] as string,
    )
  return sending
}

function filled(body: Json, [step, ...rest]: Place['path'], value: string): Json {
  if (step === undefined) return value
  const copy = body ?? (step === 0 ? [] : {})
  copy[step] = filled(copy[step], rest, value)
  return copy
}

const nameOf = ({ at, path }: Place) => `${at} ${path.join('.')}`

// Headers cannot carry NUL or lone surrogates, so no invalid value arrives.
const takesWrong = ({ at }: Place) => at !== 'header'

t.test('what looks like a value and is none is 422, wherever it stands', async t => {
  let world = await World.create(test, client, specification)
  for (const operation of operations) {
    if (world.isSpent) world = await World.create(test, client, specification)
    const sound = await soundIn(operation, world)
    const wrong: string[] = []
    for (const place of placesOf(specification, operation).filter(takesWrong)) {
      for (const value of refusedBy(place)) {
        const { status } = await client.send(operation, withValues(sound, [[place, value]]))
        if (status !== 422) wrong.push(`${nameOf(place)} ${value.json}: ${status}`)
      }
    }
    t.same(wrong, [], operation.id)
  }
  t.same(client.faults.splice(0), [], 'every answer fits the document')
})

/** Headers and cursors have only one form. */
const takesAny = ({ at, path }: Place) => at !== 'header' && path[0] !== 'cursor'

/** Returns each place with a value in another form; every form is used once, for all places together. */
function unusual(operation: Operation, { params = {}, body }: Sending, turn: number): [Place, Wire][] {
  return placesOf(specification, operation)
    .filter(takesAny)
    .flatMap(place => {
      const present =
        place.at === 'path' ? params[String(place.path[0])] : place.path.reduce((at, step) => at?.[step], body)
      const upper = place.schema.format === 'uuid' && typeof present === 'string' ? present.toUpperCase() : undefined
      const value = upper === undefined ? unusualOf(place.schema, turn) : { json: JSON.stringify(upper), text: upper }
      return value ? [[place, value] as [Place, Wire]] : []
    })
}

const TURNS = 4
/** The other operations need what only a mail or a wallet has. */
const LEAST_TAKEN = 0.7

t.test('ids of any case, times of any offset, text that is not composed are kept in one form', async t => {
  let [sent, taken] = [0, 0]
  let world = await World.create(test, client, specification)
  for (const operation of operations) {
    const wrong: string[] = []
    const varied = placesOf(specification, operation).some(({ schema }) => schema.format === 'date-time')
    for (let turn = 0; turn < (varied ? TURNS : 1); turn++) {
      if (world.isSpent) world = await World.create(test, client, specification)
      const sound = await soundIn(operation, world)
      const values = unusual(operation, sound, turn)
      if (values.length === 0) continue
      const { status, body, headers, text } = await client.send(operation, withValues(sound, values))
      sent++
      if (status < 400) taken++
      if (status === 422) wrong.push(text)
      wrong.push(...abnormalIn(body), ...(/[A-F]/.test(headers.location ?? '') ? [String(headers.location)] : []))
      if (status < 400 && operation.method !== 'GET') world = await World.create(test, client, specification)
    }
    t.same(wrong, [], operation.id)
  }
  t.ok(specification.isLimited || taken > sent * LEAST_TAKEN, `${taken} of ${sent} taken`)
  t.same(client.faults.splice(0), [], 'every answer fits the document')
})
