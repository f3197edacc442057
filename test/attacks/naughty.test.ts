import t, { type Test } from 'tap'
import { newId } from '../../src/lib/ids.ts'
import { Client } from '../contract/client.ts'
import { type Json, type Operation, Specification } from '../contract/specification.ts'
import { World } from '../contract/world.ts'
import { createUser } from '../helpers/actors.ts'
import { testApp } from '../helpers/app.ts'
import type { Answer, Credentials } from '../helpers/call.ts'
import { startServices } from '../helpers/services.ts'
import { NAUGHTY, type Place, queryTriesOf, type Try, triesOf, valuesOf, withText } from './naughty.ts'

const services = await startServices(t)
const test = await testApp(t, services)
const specification = new Specification(test.app)
const client = new Client(test, specification)
/** Each operation with a body gets a new one: the number of webhooks of an organization is limited. */
let world = await World.create(test, client, specification)

const ABREAST = 8
const mayCall = ({ access }: Operation): Credentials =>
  access.kind === 'platform' ? world.platformAdmin : world.organization.owner

/** Returns the caller of a few requests; a sensitive route gets a new user each time, because its rate limit is low. */
const callerOf = async (operation: Operation): Promise<Credentials> =>
  operation.isSensitive && operation.access.kind === 'user' ? createUser(test) : mayCall(operation)

/** Each distinct schema gets the whole list in one place, and 1/20 of it in every other place. `NAUGHTY=1`: the whole list. */
const SHARE = process.env.NAUGHTY ? 1 : 20
/** Each operation with a password hashes it, which takes 10 ms, so each gets 1/5 of the list. */
const PASSWORD_SHARE = process.env.NAUGHTY ? 1 : 5
const hashes = ({ access, body }: Operation) => access.kind === 'public' && body?.properties.password !== undefined

let turn = 0
/** Each share starts at another string, so that together the shares contain the whole list. */
function shareOf(share: number): string[] {
  const first = turn++
  return NAUGHTY.filter((_, at) => at % share === first % share)
}

const met = new Set<string>()
function textsFor(operation: Operation, { places, kinds }: Try): string[] {
  if (hashes(operation)) return shareOf(places.flat().includes('password') ? PASSWORD_SHARE : SHARE)
  const isMet = kinds.every(kind => met.has(kind))
  for (const kind of kinds) met.add(kind)
  return isMet ? shareOf(SHARE) : NAUGHTY
}

async function eachText(operation: Operation, tried: Try, send: (text: string, as: Credentials) => Promise<void>) {
  const texts = textsFor(operation, tried)
  for (let at = 0; at < texts.length; at += ABREAST) {
    const as = await callerOf(operation)
    await Promise.all(texts.slice(at, at + ABREAST).map(text => send(text, as)))
  }
}

/** Returns the values in `places` of the response that differ from the request. */
const changed = (places: Place[], sent: Json, { body }: Answer): Json[] =>
  places.flatMap(place => {
    const name = place.at(-1) as string
    const kept = valuesOf(sent, name).map(value => value?.normalize?.('NFC') ?? value)
    return valuesOf(body, name).filter(value => !kept.includes(value))
  })

t.test('the list is there', async t => t.ok(NAUGHTY.length >= 461, `${NAUGHTY.length} strings`))

const operations = specification.chosen(t)
for (const operation of operations) {
  for (const tried of queryTriesOf(operation)) {
    const names = tried.places.map(([name]) => name as string)
    t.test(`${operation.id}: a naughty ${names} is searched for, or refused`, async t => {
      const params = await world.paramsOf(operation, mayCall(operation))
      const needed = operation.parameters.some(({ name }) => name === 'organizationId')
      const base = needed ? { organizationId: world.organization.id } : {}
      client.faults.length = 0
      await eachText(operation, tried, async (text, as) => {
        const query = { ...base, ...Object.fromEntries(names.map(name => [name, text])) }
        await client.send(operation, { as, params, query })
      })
      t.same(client.faults, [], 'every answer fits the document')
    })
  }
}

for (const operation of operations.filter(({ body }) => body !== undefined)) {
  const tries = triesOf(specification, operation)
  if (tries.length === 0) continue
  t.test(`${operation.id}: a naughty text is kept as it is but for its composition, or refused`, async t => {
    world = await World.create(test, client, specification)
    const as = mayCall(operation)
    const params = await world.paramsOf(operation, as)
    const sound = await world.bodyOf(operation, params, as)
    for (const tried of tries) await check(t, operation, { tried, params, sound })
  })
}

interface Sent {
  tried: Try
  params: Record<string, string>
  sound: Json
}

async function check(t: Test, operation: Operation, { tried, params, sound }: Sent) {
  const { places } = tried
  const wrong: Json[] = []
  let [kept, sent] = [0, 0]
  client.faults.length = 0
  await eachText(operation, tried, async (text, as) => {
    // Each request has its own address, because the rate limits of an account are low.
    const own = sound.email ? { ...sound, email: `naughty-${newId()}@example.com` } : sound
    const body = withText(own, places, text)
    const answer = await client.send(operation, { as, params, body })
    sent++
    if (answer.status < 300) {
      kept++
      wrong.push(...changed(places, body, answer))
    } else if (answer.status === 429) wrong.push('limited')
  })
  const names = places.map(place => place.join('.'))
  t.same(wrong, [], `${names}: ${kept} of ${sent} kept`)
  t.same(client.faults, [], 'every answer fits the document')
}
