import type { Json, Specification } from './specification.ts'

/** A body that the schema of the operation does not allow, and why. */
export interface Mutation {
  why: string
  body: Json
}

const OF_TYPE: Record<string, Json> = { string: 'text', integer: 7, boolean: true, array: [], object: {} }
const UNKNOWN = 'unknownProperty'

/** Returns every way in which one place of `body` can violate `schema`, one at a time. */
export function mutationsOf(specification: Specification, schema: Json, body: Json): Mutation[] {
  const whole = specification.resolve(schema)
  return breaksOf(specification, whole).map(({ path, value, why }) => ({
    why: `${path.join('.') || 'body'} ${why}`,
    body: replaced(body, path, value),
  }))
}

interface Break {
  path: (string | number)[]
  value: Json
  why: string
}
const REMOVED = Symbol('removed')

function breaksOf(specification: Specification, given: Json, path: (string | number)[] = []): Break[] {
  const schema = specification.resolve(given)
  const here = (value: Json, why: string): Break => ({ path, value, why })
  const types: string[] = [schema.type].flat()
  const wrong = Object.entries(OF_TYPE)
    .filter(([type]) => !types.includes(type))
    .map(([type, value]) => here(value, `is ${type}`))
  const nulls = types.includes('null') ? [] : [here(null, 'is null')]
  return [
    ...wrong,
    ...nulls,
    ...(types.includes('string') ? textBreaks(schema).map(([value, why]) => here(value, why)) : []),
    ...(types.includes('integer') ? numberBreaks(schema).map(([value, why]) => here(value, why)) : []),
    ...(types.includes('object') ? objectBreaks(specification, schema, path) : []),
    ...(types.includes('array') ? arrayBreaks(specification, schema, path) : []),
  ]
}

function textBreaks({ maxLength, minLength, format, pattern, enum: words }: Json): [Json, string][] {
  const breaks: [Json, string][] = []
  if (words) breaks.push(['not-in-the-set', 'is not in the set'])
  else breaks.push(['a\u0000b', 'holds NUL'], ['a\ud800b', 'holds a lone surrogate'])
  if (maxLength !== undefined) breaks.push([long(maxLength + 1, { format, pattern }), 'is too long'])
  if (minLength > 0) breaks.push(['', 'is empty'])
  if (format && format !== 'password') breaks.push(['not of this format', `is no ${format}`])
  return breaks
}

/** Returns a text that is only too long, if possible: an address stays an address. */
const long = (length: number, { format }: Json): string =>
  format === 'email' ? `${'a'.repeat(length - '@example.com'.length)}@example.com` : 'a'.repeat(length)

function numberBreaks({ minimum, maximum }: Json): [Json, string][] {
  const breaks: [Json, string][] = [
    [1.5, 'is a fraction'],
    ['1', 'is digits in text'],
  ]
  if (minimum !== undefined) breaks.push([minimum - 1, 'is below the least'])
  if (maximum !== undefined) breaks.push([maximum + 1, 'is above the most'])
  return breaks
}

function objectBreaks(specification: Specification, schema: Json, path: (string | number)[]): Break[] {
  const { properties = {}, required = [], minProperties, additionalProperties } = schema
  return [
    ...(additionalProperties === true ? [] : [{ path: [...path, UNKNOWN], value: 1, why: 'is not known' }]),
    ...required.map((name: string) => ({ path: [...path, name], value: REMOVED, why: 'is missing' })),
    ...(minProperties ? [{ path, value: {}, why: 'is empty' }] : []),
    ...Object.entries(properties).flatMap(([name, property]) => breaksOf(specification, property, [...path, name])),
  ]
}

function arrayBreaks(specification: Specification, schema: Json, path: (string | number)[]): Break[] {
  const { items, minItems, maxItems, uniqueItems } = schema
  const first = specification.resolve(items)
  const value = first.enum?.[0] ?? 'a'
  return [
    ...(minItems ? [{ path, value: [], why: 'is empty' }] : []),
    ...(maxItems ? [{ path, value: Array(maxItems + 1).fill({}), why: 'has too many' }] : []),
    ...(uniqueItems ? [{ path, value: [value, value], why: 'repeats' }] : []),
    ...breaksOf(specification, items, [...path, 0]),
  ]
}

function replaced(body: Json, path: (string | number)[], value: Json): Json {
  if (path.length === 0) return value
  const copy = structuredClone(body) ?? {}
  let at = copy
  for (const step of path.slice(0, -1)) {
    at[step] ??= {}
    at = at[step]
  }
  const last = path.at(-1) as string
  if (value === REMOVED) delete at[last]
  else at[last] = value
  return copy
}
