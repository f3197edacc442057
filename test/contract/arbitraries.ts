import fc, { type Arbitrary } from 'fast-check'
import type { Json, Specification } from './specification.ts'
import { isFree } from './values.ts'

const FIRST_TIME = new Date('0001-01-02T00:00:00Z')
const LAST_TIME = new Date('9999-12-30T00:00:00Z')
/** More items find nothing new; the limits of lists have their own tests. */
const MOST_ITEMS = 4
const DEEP = 3

/** Returns values that the schema allows. `known` are ids of existing rows; half of the ids are chosen from them. */
export function valuesOf(specification: Specification, given: Json, known: string[]): Arbitrary<Json> {
  const schema = specification.resolve(given)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  const kinds: Arbitrary<Json>[] = [schema.type].flat().map(type => {
    if (type === 'object') return objects(specification, schema, known)
    if (type === 'array') return arrays(specification, schema, known)
    if (type === 'string') return texts(schema, known)
    if (type === 'integer') return integers(schema)
    return type === 'null' ? fc.constant(null) : fc.boolean()
  })
  return fc.oneof(...kinds)
}

const integers = ({ minimum = Number.MIN_SAFE_INTEGER, maximum = Number.MAX_SAFE_INTEGER }: Json) =>
  fc
    .oneof(fc.integer({ min: Math.max(minimum, -9), max: Math.min(maximum, 99) }), fc.maxSafeInteger())
    .filter(value => value >= minimum && value <= maximum)

function texts(schema: Json, known: string[]): Arbitrary<string> {
  const { format, pattern, minLength = 0, maxLength = 1000 } = schema
  if (format === 'uuid') return fc.oneof(fc.constantFrom(...known), fc.uuid())
  if (format === 'email') return fc.emailAddress().filter(email => email.length <= maxLength)
  if (format === 'date-time')
    return fc.date({ min: FIRST_TIME, max: LAST_TIME, noInvalidDate: true }).map(date => date.toISOString())
  // The schema counts code points, and NUL is refused.
  if (isFree(schema))
    return fc.string({ unit: 'binary', minLength, maxLength }).map(text => text.replaceAll('\u0000', '\u0001'))
  return fc.stringMatching(new RegExp(pattern)).filter(({ length }) => length >= minLength && length <= maxLength)
}

function arrays(specification: Specification, schema: Json, known: string[]): Arbitrary<Json[]> {
  const { items, minItems: minLength = 0, maxItems = MOST_ITEMS, uniqueItems } = schema
  const limits = { minLength, maxLength: Math.min(maxItems, MOST_ITEMS) }
  const item = valuesOf(specification, items, known)
  return uniqueItems ? fc.uniqueArray(item, limits) : fc.array(item, limits)
}

function objects(specification: Specification, schema: Json, known: string[]): Arbitrary<Json> {
  const { properties = {}, required = [], minProperties = 0 } = schema
  const members = Object.entries<Json>(properties).map(([name, value]) => [name, valuesOf(specification, value, known)])
  return fc
    .record(Object.fromEntries(members), { requiredKeys: required, noNullPrototype: true })
    .filter(value => Object.keys(value).length >= minProperties)
}

/** Returns `value` with one place replaced by something else. */
export function spoilt(value: Json): Arbitrary<Json> {
  const places = placesOf(value)
  return fc
    .tuple(fc.constantFrom(...places), fc.jsonValue({ maxDepth: DEEP }), fc.string({ unit: 'binary' }))
    .map(([place, other, name]) => replaced(value, place, { other, name }))
}

/** Returns every place in the value, and one for a new member of each object. */
function placesOf(value: Json): (string | number | null)[][] {
  if (typeof value !== 'object' || value === null) return [[]]
  const inner = Object.entries(value).flatMap(([name, item]) => placesOf(item).map(place => [name, ...place]))
  return [[], ...inner, ...(Array.isArray(value) ? [] : [[null]])]
}

function replaced(value: Json, place: (string | number | null)[], by: { other: Json; name: string }): Json {
  const [step, ...rest] = place
  if (step === undefined) return by.other
  const copy = structuredClone(value)
  const name = step ?? by.name
  // As JSON.parse does: an assignment would give some names, such as `__proto__`, another meaning.
  const inner = replaced(copy[name], rest, by)
  Object.defineProperty(copy, name, { value: inner, enumerable: true, configurable: true, writable: true })
  return copy
}

const PRINTABLE = fc.string({ unit: fc.constantFrom(...'"*W/,; \t=-_0123456789abcdef{}[]é'), maxLength: 60 })
const HEADERS = ['if-match', 'if-none-match', 'idempotency-key', 'traceparent', 'request-id', 'accept', 'origin']

/** Headers that the API reads, with meaningless values. */
export const anyHeaders: Arbitrary<Record<string, string>> = fc.dictionary(fc.constantFrom(...HEADERS), PRINTABLE, {
  maxKeys: 2,
})

/** Returns queries that the schemas of the parameters allow. */
export const queriesOf = (
  specification: Specification,
  parameters: { name: string; schema: Json }[],
  known: string[],
) =>
  fc
    .record(Object.fromEntries(parameters.map(({ name, schema }) => [name, valuesOf(specification, schema, known)])), {
      requiredKeys: [],
      noNullPrototype: true,
    })
    .map(query => Object.fromEntries(Object.entries(query).map(([name, value]) => [name, String(value)])))

/** Returns queries with arbitrary names and values. */
export const anyQueries = (names: string[]): Arbitrary<Record<string, string>> =>
  fc.dictionary(
    fc.oneof(fc.constantFrom(...names, 'limit', 'cursor'), fc.string({ maxLength: 9 })),
    fc.oneof(fc.string({ unit: 'binary' }), fc.double().map(String), fc.constant('null')),
    { maxKeys: 4 },
  )
