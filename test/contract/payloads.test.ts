import { readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { testApp } from '../helpers/app.ts'
import { type Json, Specification } from './specification.ts'

/** What partners read: every property of the data of every type of event, in one file. */
const FILE = fileURLToPath(new URL('payloads.txt', import.meta.url))
/** Adds what is new; it never takes a line away. */
const COMMAND = 'UPDATE_PAYLOADS=1 npm test -- test/contract/payloads.test.ts'

const { app } = await testApp(t)
const specification = new Specification(app)

function linesOf(path: string, schema: Json): string[] {
  const { type, properties = {}, items } = specification.resolve(schema)
  const own = `${path}: ${[type ?? 'any'].flat().join(' or ')}`
  const inner = Object.entries<Json>(properties).flatMap(([name, property]) => linesOf(`${path}.${name}`, property))
  return [own, ...inner, ...(items ? linesOf(`${path}[]`, items) : [])]
}

t.test('a version of an event keeps every property that it had, with its type', async t => {
  const lines = Object.entries<Json>(specification.document.webhooks).flatMap(([name, { post }]) => {
    const { data } = post.requestBody.content['application/json'].schema.properties
    return linesOf(`${name} ${post['x-version']}`, data)
  })
  const kept = readFileSync(FILE, { encoding: 'utf8', flag: 'a+' }).split('\n').filter(Boolean)
  const present = new Set(lines)
  t.same(
    kept.filter(line => !present.has(line)),
    [],
    'what was published is still there',
  )
  const all = [...new Set([...kept, ...lines])].toSorted()
  if (process.env.UPDATE_PAYLOADS) writeFileSync(FILE, `${all.join('\n')}\n`)
  t.equal(
    kept.length === all.length || process.env.UPDATE_PAYLOADS !== undefined,
    true,
    `what is new is added by ${COMMAND}`,
  )
})
