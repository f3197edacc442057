import { Ajv2020 } from 'ajv/dist/2020.js'
import formats from 'ajv-formats'
import { RE2JS } from 're2js'
import t from 'tap'
import { testApp } from '../helpers/app.ts'
import type { Json } from './specification.ts'

/** The published schemas mean the same to every validator. */
const { app } = await testApp(t)
const document: Json = JSON.parse(JSON.stringify(app.openapi()))

/** Yields every object of the document with its path, except those in examples. */
function* objectsIn(value: Json, path = '#'): Generator<[string, Json]> {
  if (typeof value !== 'object' || value === null) return
  yield [path, value]
  for (const [key, inner] of Object.entries<Json>(value))
    if (!/^(example|examples|default|enum|const)$/.test(key)) yield* objectsIn(inner, `${path}/${key}`)
}

const objects = [...objectsIn({ ...document, components: { schemas: document.components.schemas } })]
const isType = (type: unknown) => typeof type === 'string' || Array.isArray(type)
const schemas = objects.filter(([, { type, $ref }]) => isType(type) || $ref)
const patterns = new Map(schemas.flatMap(([path, { pattern }]) => (pattern === undefined ? [] : [[pattern, path]])))

/** Engines differ in what a letter, a digit or a space is, and in lookarounds and references. */
const DISPUTED = /\\[a-zA-Z0-9]|\(\?|\[\^|\./
const SAMPLES = ['', 'a', 'A-1', '0x0', 'é', '\n', 'a\n', 'e\u0301', '\u{1f600}', 'en-GB', 'Etc/GMT+5', 'a'.repeat(43)]

t.test('every pattern is of what ECMA-262 without flags, RE2 and Python agree on', async t => {
  t.ok(patterns.size > 5, `${patterns.size} patterns`)
  for (const [pattern, path] of patterns) {
    const withoutClasses = pattern.replaceAll(/\[(?!\^)[^\]]*\]/g, (set: string) => set.replaceAll('.', ''))
    t.notMatch(withoutClasses, DISPUTED, path)
    const [javaScript, re2] = [new RegExp(pattern), RE2JS.compile(pattern)]
    for (const sample of SAMPLES)
      t.equal(re2.matcher(sample).find(), javaScript.test(sample), `${pattern} and ${JSON.stringify(sample)}`)
  }
})

t.test('every example fits its schema, where patterns are read without the flag u', async t => {
  const ajv = new Ajv2020({ strict: false, unicodeRegExp: false })
  formats.default(ajv, { mode: 'full' })
  let count = 0
  for (const [path, schema] of schemas) {
    const examples = [
      ...(Array.isArray(schema.examples) ? schema.examples : []),
      ...(schema.example ? [schema.example] : []),
    ]
    if (examples.length === 0) continue
    const validate = ajv.compile({ ...schema, components: document.components })
    for (const example of examples) {
      t.ok(validate(example), `${path}: ${ajv.errorsText(validate.errors)}`)
      count++
    }
  }
  t.ok(count > 50, `${count} examples`)
})

const KNOWN = new Set(
  `type title description format pattern enum const default examples example properties required additionalProperties
  items minItems maxItems uniqueItems minLength maxLength minimum maximum minProperties anyOf
  contentMediaType $ref`.split(/\s+/),
)
const FORMATS = ['uuid', 'date-time', 'email', 'uri', 'password']

t.test('no schema has a word that JSON Schema does not know', async t => {
  for (const [path, schema] of schemas) {
    t.same(
      Object.keys(schema).filter(key => !KNOWN.has(key) && schema.in === undefined),
      [],
      path,
    )
    if (schema.format !== undefined) t.ok(FORMATS.includes(schema.format), `${path}: ${schema.format}`)
  }
})
