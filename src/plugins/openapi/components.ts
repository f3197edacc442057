export type Json = { [key: string]: unknown }

const NAME = /^[A-Z]\w*$/
/** The content of these members is values, not schemas. */
const VALUES = ['example', 'examples']

/**
 * Moves every schema with a title like `Task` to `components.schemas` and refers to it, so that generated clients have
 * names; each property passes through `described`. Throws when two different schemas share a title.
 */
export function hoist<D extends { components?: { schemas?: Record<string, Json> } }>(
  document: D,
  described: (name: string, schema: Json) => Json,
): D {
  const schemas: Record<string, Json> = {}

  const visit = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(visit)
    if (value === null || typeof value !== 'object') return value
    const copy = Object.fromEntries(Object.entries(value).map(visitMember))
    const { title } = value as { title?: unknown }
    const isSchema = 'type' in value || 'anyOf' in value
    if (typeof title !== 'string' || !isSchema || !NAME.test(title)) return copy
    const known = schemas[title]
    if (known && shapeOf(known) !== shapeOf(copy)) throw new Error(`two schemas are called ${title}`)
    schemas[title] = known?.examples ? known : copy
    return { $ref: `#/components/schemas/${title}` }
  }
  const visitMember = ([key, child]: [string, unknown]): [string, unknown] => {
    if (VALUES.includes(key)) return [key, child]
    return [key, key === 'properties' ? visitProperties(child as Record<string, Json>) : visit(child)]
  }
  const visitProperties = (properties: Record<string, Json>) =>
    Object.fromEntries(Object.entries(properties).map(([name, schema]) => [name, visit(described(name, schema))]))

  const visited = visit({ ...document, info: undefined }) as D
  return { ...visited, info: (document as Json).info, components: { ...visited.components, schemas } }
}

/** Examples are left out of the comparison: they may be in the schema in one place and beside it in another. */
const shapeOf = (schema: Json): string =>
  JSON.stringify(schema, (key, value) => (VALUES.includes(key) ? undefined : value))
