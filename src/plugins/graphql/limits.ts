import {
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLObjectType,
  type GraphQLSchema,
  getNamedType,
  getOperationAST,
  isObjectType,
  Kind,
  type OperationDefinitionNode,
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql'
import type { AppError } from '../../lib/errors.ts'
import { DEFAULT_LIMIT, MAX_LIMIT } from '../../lib/schema.ts'
import { graphqlErrors } from './errors.ts'

/** Of one document. It bounds parsing and the standard rules, of which one is quadratic. */
export const MAX_TOKENS = 1000
/** `organization.projects.edges.node.tasks.edges.node.comments.edges.node.author` has 10. */
const MAX_DEPTH = 15
/** After fragments are put in place. */
const MAX_FIELDS = 250
const MAX_ALIASES = 30
/** Each is a transaction of its own. */
const MAX_MUTATIONS = 10
/**
 * Objects of one answer: 50 projects with 20 tasks each, their assignees and 5 comments are 7,050. An object costs
 * about 10 µs.
 */
const MAX_OBJECTS = 10_000

const tooLarge = (what: string, limit: number): AppError =>
  graphqlErrors.graphql_too_large({ detail: `The document has more than ${limit} ${what}.` })

/** What a selection amounts to, with its fragments in place. */
interface Extent {
  depth: number
  fields: number
  aliases: number
}
const NONE: Extent = { depth: 0, fields: 0, aliases: 0 }

type Fragments = ReadonlyMap<string, FragmentDefinitionNode>

const fragmentsOf = ({ definitions }: DocumentNode): Fragments =>
  new Map(
    definitions
      .filter((definition): definition is FragmentDefinitionNode => definition.kind === Kind.FRAGMENT_DEFINITION)
      .map(definition => [definition.name.value, definition]),
  )

/**
 * Bounds depth, breadth and aliases before the standard rules run. Each fragment is measured once, so fragments that
 * spread each other cost no more than their text; a cycle counts as empty here and is refused by a standard rule.
 */
export function checkExtent(document: DocumentNode): void {
  const fragments = fragmentsOf(document)
  const measured = new Map<string, Extent>()
  const ofSet = (set: SelectionSetNode | undefined): Extent =>
    (set?.selections ?? []).map(ofSelection).reduce(sum, NONE)
  const ofFragment = (name: string): Extent => {
    const known = measured.get(name)
    if (known) return known
    measured.set(name, NONE)
    const extent = ofSet(fragments.get(name)?.selectionSet)
    measured.set(name, extent)
    return extent
  }
  const ofSelection = (node: SelectionNode): Extent => {
    if (node.kind === Kind.FRAGMENT_SPREAD) return ofFragment(node.name.value)
    if (node.kind === Kind.INLINE_FRAGMENT) return ofSet(node.selectionSet)
    // Introspection reads no rows, and is refused in production.
    if (node.name.value.startsWith('__')) return NONE
    const { depth, fields, aliases } = ofSet(node.selectionSet)
    return { depth: depth + 1, fields: fields + 1, aliases: aliases + (node.alias ? 1 : 0) }
  }

  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION) continue
    if (definition.operation === 'subscription')
      throw graphqlErrors.graphql_invalid({ detail: 'The graph has no subscriptions.' })
    const { depth, fields, aliases } = ofSet(definition.selectionSet)
    if (depth > MAX_DEPTH) throw tooLarge('levels', MAX_DEPTH)
    if (fields > MAX_FIELDS) throw tooLarge('fields', MAX_FIELDS)
    if (aliases > MAX_ALIASES) throw tooLarge('aliases', MAX_ALIASES)
    const mutates = definition.operation === 'mutation'
    if (mutates && definition.selectionSet.selections.length > MAX_MUTATIONS) throw tooLarge('mutations', MAX_MUTATIONS)
  }
}

const sum = (a: Extent, b: Extent): Extent => ({
  depth: Math.max(a.depth, b.depth),
  fields: a.fields + b.fields,
  aliases: a.aliases + b.aliases,
})

/**
 * What a field adds to the answer, as `extensions.objects` of the field: `page` stands for a list, and its field `rows`
 * for each object on it.
 */
type Objects = 'one' | 'page' | 'rows' | 'count'
/** Returns the extensions of a field that adds such objects; with an operation it has that one's access rule. */
export const adds = (objects: Objects, operation?: string) => ({
  extensions: { objects, ...(operation !== undefined && { operation }) },
})

type Variables = Readonly<Record<string, unknown>>

/**
 * Bounds the number of objects that the answer may have, before anything is read. The document is valid and its extent
 * is bounded.
 */
export function checkCost(
  schema: GraphQLSchema,
  document: DocumentNode,
  name: string | undefined,
  given: Variables,
): void {
  const operation = getOperationAST(document, name)
  if (!operation) return
  const fragments = fragmentsOf(document)
  const variables = { ...defaultsOf(operation), ...given }
  const ofSet = (set: SelectionSetNode, type: GraphQLObjectType, rows: number): number =>
    set.selections.reduce((objects, node) => objects + ofSelection(node, type, rows), 0)
  const ofSelection = (node: SelectionNode, type: GraphQLObjectType, rows: number): number => {
    if (node.kind === Kind.INLINE_FRAGMENT) return ofSet(node.selectionSet, type, rows)
    if (node.kind === Kind.FRAGMENT_SPREAD)
      return ofSet((fragments.get(node.name.value) as FragmentDefinitionNode).selectionSet, type, rows)
    const field = type.getFields()[node.name.value]
    return field ? ofField(node, field, rows) : 0
  }
  const ofField = (node: FieldNode, { type, extensions }: GraphQLField<unknown, unknown>, rows: number): number => {
    const own = extensions.objects === undefined ? 0 : 1
    const child = getNamedType(type)
    if (!node.selectionSet || !isObjectType(child)) return own
    const times = extensions.objects === 'rows' ? rows : 1
    return times * (own + ofSet(node.selectionSet, child, extensions.objects === 'page' ? rowsOf(node, variables) : 1))
  }

  const root = schema.getRootType(operation.operation) as GraphQLObjectType
  if (ofSet(operation.selectionSet, root, 1) > MAX_OBJECTS)
    throw graphqlErrors.graphql_too_large({ detail: `The answer may have more than ${MAX_OBJECTS} objects.` })
}

const defaultsOf = ({ variableDefinitions = [] }: OperationDefinitionNode): Variables =>
  Object.fromEntries(
    variableDefinitions.flatMap(({ variable, defaultValue }) =>
      defaultValue?.kind === Kind.INT ? [[variable.name.value, Number(defaultValue.value)]] : [],
    ),
  )

/** Returns how many rows a page has at most. */
function rowsOf({ arguments: given = [] }: FieldNode, variables: Variables): number {
  const first = given.find(({ name }) => name.value === 'first')?.value
  if (!first || first.kind === Kind.NULL) return DEFAULT_LIMIT
  const rows =
    first.kind === Kind.VARIABLE
      ? (variables[first.name.value] ?? DEFAULT_LIMIT)
      : Number((first as { value: string }).value)
  return typeof rows === 'number' && rows >= 0 ? Math.min(rows, MAX_LIMIT) : MAX_LIMIT
}
