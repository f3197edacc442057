import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import fc, { type Arbitrary } from 'fast-check'
import t, { type Test } from 'tap'
import { newId } from '../../src/lib/ids.ts'
import { testApp } from '../helpers/app.ts'
import type { Answer } from '../helpers/call.ts'
import { startServices } from '../helpers/services.ts'
import { anyHeaders, anyQueries, queriesOf, spoilt, valuesOf } from './arbitraries.ts'
import { Client, type Sending } from './client.ts'
import { type Json, type Operation, Specification, streams } from './specification.ts'
import { World } from './world.ts'

/**
 * The number of requests of each kind for each operation. `GENERATED=200` tests longer, `GENERATED_SEED` repeats a run.
 */
const REQUESTS = Number(process.env.GENERATED ?? 20)
const TWO_32 = 2 ** 32
const seed = Number(process.env.GENERATED_SEED ?? Math.floor(Math.random() * TWO_32)) | 0
t.comment(`seed ${seed}`)

const services = await startServices(t)
const test = await testApp(t, services)
const specification = new Specification(test.app)
const client = new Client(test, specification)
const ajv = new Ajv2020({ strict: false, validateFormats: true, unicodeRegExp: false })
formats.default(ajv, { mode: 'full' })

/** A world is replaced after this many requests, because some limits are small. */
const USES = 8
/** After these statuses something may be deleted that the next request needs. */
const TAKES_AWAY = [202, 204]

/** Sends requests to a world and replaces it in time. */
class Sender {
  readonly #operation: Operation
  #at: World | undefined
  #params: Record<string, string> = {}
  #uses = 0
  readonly statuses = new Map<number, number>()

  constructor(operation: Operation) {
    this.#operation = operation
  }

  async world(): Promise<World> {
    if (!this.#at || this.#uses >= USES) {
      this.#uses = 0
      this.#at = await World.create(test, client, specification)
      this.#params = await this.#at.paramsOf(this.#operation, callerIn(this.#operation, this.#at))
    }
    return this.#at
  }

  async send(sending: Sending): Promise<Answer> {
    const at = await this.world()
    if (this.#operation.method !== 'GET') this.#uses++
    const answer = await client.send(this.#operation, {
      as: callerIn(this.#operation, at),
      params: this.#params,
      ...sending,
    })
    if (TAKES_AWAY.includes(answer.status)) this.#uses = USES
    this.statuses.set(answer.status, (this.statuses.get(answer.status) ?? 0) + 1)
    return answer
  }
}

const callerIn = ({ access }: Operation, at: World) =>
  access.kind === 'platform' ? at.platformAdmin : at.organization.owner

/** Existing ids for references, and an unknown one. */
const idsIn = (at: World) => [at.organization.id, at.organization.member.id, at.bystander.id, newId()]

async function every<T>(t: Test, requests: Arbitrary<T>, send: (request: T) => Promise<void>, numRuns = REQUESTS) {
  client.faults.length = 0
  const held = async (request: T) => {
    await send(request)
    const faults = client.faults.splice(0)
    if (faults.length > 0) throw new Error(faults.join('\n'))
  }
  const run = await fc.check(fc.asyncProperty(requests, held), { seed, numRuns })
  t.notOk(run.failed, run.failed ? String(fc.defaultReportMessage(run)) : `${numRuns} requests`)
}

const summary = ({ statuses }: Sender) => [...statuses].map(([status, times]) => `${times} × ${status}`).join(', ')

for (const operation of specification.chosen(t, operation => !streams(operation))) {
  const { body: schema } = operation
  const inQuery = operation.parameters.filter(parameter => parameter.in === 'query')
  // A cursor must come from a response.
  const free = inQuery.filter(({ name }) => name !== 'cursor')
  // Without anything to vary, one request is enough.
  const choices = schema || free.length > 0 ? REQUESTS : 1
  const isSound = schema && ajv.compile({ ...schema, components: specification.document.components })

  t.test(`${operation.id}: whatever the document allows is answered as it says`, async t => {
    const sender = new Sender(operation)
    const ids = idsIn(await sender.world())
    const requests = fc.record({
      query: queriesOf(specification, free, ids),
      ...(schema ? { body: valuesOf(specification, schema, ids) } : {}),
    })
    await every(
      t,
      requests,
      async request => {
        const sent: Json = 'body' in request ? request.body : undefined
        if (isSound && !isSound(sent)) throw new Error(`the generator is wrong: ${JSON.stringify(sent)}`)
        await sender.send(request)
      },
      choices,
    )
    t.comment(summary(sender))
  })

  t.test(`${operation.id}: whatever the document does not allow is refused as it says`, async t => {
    const sender = new Sender(operation)
    const ids = idsIn(await sender.world())
    const bodies = schema ? valuesOf(specification, schema, ids).chain(spoilt) : fc.jsonValue()
    const requests = fc.record({
      query: anyQueries(inQuery.map(({ name }) => name)),
      body: bodies,
      headers: anyHeaders,
    })
    await every(t, requests, async ({ query, body, headers }) => {
      const isGet = operation.method === 'GET'
      const { status } = await sender.send(isGet ? { query, headers } : { body: JSON.stringify(body), headers })
      if (isSound && !isSound(body) && (status < 400 || ![400, 422].includes(status)))
        throw new Error(`${status} for ${JSON.stringify(body)}`)
    })
    t.comment(summary(sender))
  })
}
