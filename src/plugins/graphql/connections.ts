import type { TSchema } from '@sinclair/typebox'
import {
  GraphQLBoolean,
  type GraphQLFieldConfig,
  type GraphQLFieldConfigArgumentMap,
  GraphQLInt,
  GraphQLList,
  GraphQLNonNull,
  GraphQLObjectType,
  GraphQLString,
} from 'graphql'
import type { Slice } from '../../database/list.ts'
import { orNotFound } from '../../lib/errors.ts'
import { DEFAULT_LIMIT, type ListRequest, MAX_LIMIT } from '../../lib/schema.ts'
import type { CheckedOperation } from '../operations.ts'
import type { GraphContext } from './context.ts'
import type { Connection } from './graph.ts'
import { adds } from './limits.ts'
import type { Shapes } from './shapes.ts'

type Row = object
export type GraphField<Source = never> = GraphQLFieldConfig<Source, GraphContext>

const required = <T extends ConstructorParameters<typeof GraphQLNonNull>[0]>(type: T) => new GraphQLNonNull(type)

/** A page that is read when one of its fields is: who asks only for the number of rows reads none. */
interface Page {
  page(): Promise<Slice<Row>>
  total(): Promise<number>
  after: boolean
}

const PageInfo = new GraphQLObjectType<{ slice: Slice<Row>; after: boolean }>({
  name: 'PageInfo',
  description: 'Where a page stands in its list.',
  fields: {
    hasNextPage: { type: required(GraphQLBoolean), resolve: ({ slice }) => slice.hasMore },
    hasPreviousPage: { type: required(GraphQLBoolean), resolve: ({ after }) => after },
    startCursor: { type: GraphQLString, resolve: ({ slice }) => cursorAt(slice, 0) },
    endCursor: { type: GraphQLString, resolve: ({ slice }) => cursorAt(slice, -1) },
  },
})

const cursorAt = ({ rows, cursorOf }: Slice<Row>, at: number): string | null => {
  const row = rows.at(at)
  return row === undefined ? null : cursorOf(row)
}

/** Returns the Relay connection of a type. */
export function connectionOf(type: GraphQLObjectType): GraphQLObjectType<Page, GraphContext> {
  const Edge = new GraphQLObjectType<{ row: Row; slice: Slice<Row> }>({
    name: `${type.name}Edge`,
    fields: {
      node: { type: required(type), resolve: ({ row }) => row },
      cursor: { type: required(GraphQLString), resolve: ({ row, slice }) => slice.cursorOf(row) },
    },
  })
  return new GraphQLObjectType<Page, GraphContext>({
    name: `${type.name}Connection`,
    description: 'A page of a list.',
    fields: {
      nodes: {
        type: required(new GraphQLList(required(type))),
        resolve: async ({ page }) => (await page()).rows,
        ...adds('rows'),
      },
      edges: {
        type: required(new GraphQLList(required(Edge))),
        async resolve({ page }) {
          const slice = await page()
          return slice.rows.map(row => ({ row, slice }))
        },
        ...adds('rows'),
      },
      pageInfo: {
        type: required(PageInfo),
        resolve: async ({ page, after }) => ({ slice: await page(), after }),
      },
      totalCount: {
        type: required(GraphQLInt),
        description: 'Rows on all pages; counted only when it is asked for.',
        resolve: ({ total }) => total(),
        ...adds('count'),
      },
    },
  })
}

/** Arguments of the operation that a connection has under another name, or not at all. */
const PAGING = ['limit', 'cursor', 'page', 'count']

type Given = Record<string, unknown> & { first?: number | null; after?: string | null }

/** Returns the field for a list; its arguments are the filters and sorts of the operation. */
export function connectionField(
  operation: CheckedOperation,
  { list, type, operation: name, scopeOf }: Connection,
  Type: GraphQLObjectType,
  shapes: Shapes,
): GraphField {
  const { querystring, summary } = operation.declared.schema
  const load = loaderOf(operation, list, name)
  return {
    type: Type,
    description: `${summary}.`,
    args: argumentsOf(querystring as TSchema, type, shapes),
    ...adds('page', name),
    resolve(parent, given: Given, context): Page {
      operation.authorize(context)
      const key = `${name} ${JSON.stringify(given)}`
      const query = context.once(key, () => operation.checked('querystring', queryOf(given)))
      const scope = scopeOf(parent, context.principal)
      const { pages, totals } = context.once(`${key} loaders`, () => load(context, key, query))
      let slice: Promise<Slice<Row>> | undefined
      return {
        page: () => (slice ??= pages.load(scope).then(orNotFound)),
        total: () => totals.load(scope).then(orNotFound),
        after: given.after != null,
      }
    },
  }
}

function argumentsOf(querystring: TSchema, type: string, shapes: Shapes): GraphQLFieldConfigArgumentMap {
  const others = Object.fromEntries(
    Object.entries<TSchema>(querystring.properties).filter(([property]) => !PAGING.includes(property)),
  )
  return {
    first: {
      type: GraphQLInt,
      description: `Rows of the page, ${DEFAULT_LIMIT} by default; above ${MAX_LIMIT} becomes ${MAX_LIMIT}.`,
    },
    after: { type: GraphQLString, description: '`endCursor` of the page before, or the cursor of an edge.' },
    ...shapes.arguments({ ...querystring, properties: others } as unknown as TSchema, type),
  }
}

/** Null stands for an argument that is left out. */
function queryOf({ first, after, ...others }: Given): ListRequest {
  const given = { limit: first, cursor: after, ...others }
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value != null))
}

const textOf = (scope: object): string => Object.values(scope).join()

/** Reads the pages of one field for all its parents on a level together. */
function loaderOf(operation: CheckedOperation, list: Connection['list'], name: string) {
  return (context: GraphContext, key: string, query: ListRequest) => {
    const read = async <Result>(scopes: readonly object[], load: Connection['list']['pages' | 'totals']) => {
      const answers: (Error | Result)[] = await refusals(operation, context, scopes)
      const allowed = scopes.flatMap((_, at) => (answers[at] === undefined ? [at] : []))
      const asked = allowed.map(at => scopes[at])
      const found = await load(context.on, asked as never, context.principal as never, query as never)
      for (const [n, at] of allowed.entries()) answers[at] = found[n] as Result
      return answers
    }
    return {
      pages: context.loader<object, Slice<Row> | undefined>(
        `${name} ${key}`,
        scopes => read(scopes, list.pages),
        textOf,
      ),
      totals: context.loader<object, number | undefined>(
        `${name} ${key} total`,
        scopes => read(scopes, list.totals),
        textOf,
      ),
    }
  }
}

/** Checks membership in the parents of all scopes, unless the statement does. */
const refusals = (operation: CheckedOperation, context: GraphContext, scopes: readonly object[]): Promise<never[]> =>
  Promise.all(
    scopes.map(scope =>
      operation.belongs(context, String(Object.values(scope)[0])).then(
        () => undefined as never,
        error => error as never,
      ),
    ),
  )
