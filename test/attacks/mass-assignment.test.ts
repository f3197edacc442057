import t from 'tap'
import { newId } from '../../src/lib/ids.ts'
import { ChangeLog } from '../contract/changes.ts'
import { Client } from '../contract/client.ts'
import { type Json, type Operation, Specification } from '../contract/specification.ts'
import { World } from '../contract/world.ts'
import { testApp } from '../helpers/app.ts'

const test = await testApp(t)
const specification = new Specification(test.app)
const client = new Client(test, specification)
const log = await ChangeLog.open(test)

/** Columns that no caller may set, each with a value that is valid for the column. */
const FORBIDDEN: Record<string, Json> = {
  id: newId(),
  organizationId: newId(),
  userId: newId(),
  createdBy: newId(),
  authorId: newId(),
  role: 'owner',
  status: 'active',
  version: 1,
  createdAt: '2020-01-01T00:00:00.000Z',
  updatedAt: '2020-01-01T00:00:00.000Z',
  emailVerifiedAt: '2020-01-01T00:00:00.000Z',
  eraseAt: null,
  passwordHash: '$argon2id$v=19$m=19456,t=2,p=1$AAAA$AAAA',
  hash: 'AAAA',
  lastUsedAt: null,
}
/** Property names with a special meaning in JavaScript. They are text, because an object literal would apply them. */
const POISON = ['"__proto__":{"role":"owner"}', '"constructor":{"prototype":{"role":"owner"}}', '"prototype":{"a":1}']

/** Returns each object in `body`, including the body, with the properties of its schema. */
function objectsIn(body: Json, given: Json): { at: Json; known: string[] }[] {
  const schema = specification.resolve(given)
  if (Array.isArray(body)) return body.flatMap(item => objectsIn(item, schema.items))
  if (typeof body !== 'object' || body === null) return []
  const properties = schema.properties ?? {}
  const inner = Object.entries(body).flatMap(([name, value]) => objectsIn(value, properties[name] ?? {}))
  return [{ at: body, known: Object.keys(properties) }, ...inner]
}

const MARK = '"mark":0'

/** Returns the body as JSON, once for each object in it and each forbidden property. */
function forgeries(operation: Operation, body: Json): string[] {
  const known = objectsIn(body, operation.body).map(object => object.known)
  return known.flatMap((names, index) => {
    const copy = structuredClone(body)
    Object.assign((objectsIn(copy, operation.body)[index] as { at: Json }).at, { mark: 0 })
    const text = JSON.stringify(copy)
    const plain = Object.entries(FORBIDDEN).filter(([name]) => !names.includes(name))
    const members = [...plain.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`), ...POISON]
    return members.map(member => text.replace(MARK, member))
  })
}

for (const operation of specification.chosen(t, ({ body }) => body !== undefined)) {
  t.test(`${operation.id}: nobody sets what is not theirs to set`, async t => {
    const at = await World.create(test, client, specification)
    const as = operation.access.kind === 'platform' ? at.platformAdmin : at.organization.owner
    const params = await at.paramsOf(operation, as)
    const body = await at.bodyOf(operation, params, as)
    await log.forget()
    client.faults.length = 0
    const sent = forgeries(operation, body)
    t.ok(sent.length > POISON.length)
    for (const forged of sent) {
      const { status } = await client.send(operation, { as, params, body: forged })
      if (status !== 422 && status !== 400) t.fail(`${status}: ${forged}`)
    }
    t.same(await log.take(), [], 'nothing has changed')
    t.same(client.faults, [], 'every answer fits the document')
    t.notOk('role' in {}, 'no prototype was touched')
  })
}
