import { sql } from 'drizzle-orm'
import { encodeCursor, fingerprint, type Position } from '../lib/cursor.ts'
import { invalidParameter } from '../lib/errors.ts'
import { DEFAULT_LIMIT, type ListOf, type ListRequest, MAX_LIMIT } from '../lib/schema.ts'
import type { Executor } from './executor.ts'
import { manyCounter, manyReader } from './list/many.ts'
import { type AnyList, conditionsOf, type ListDefinition, type PageInput, pageReader, type Sort } from './list/page.ts'
import { LAST, positionOf } from './list/position.ts'
import { type Params, statements } from './statement.ts'

/** The last row that numbered pages can reach; reading further needs a cursor. */
const NUMBERED_ROWS = 10_000

const orderOf = ({ sort }: { sort: string }) => ({ name: sort.replace(/^-/, ''), descending: sort.startsWith('-') })

/**
 * Returns functions between positions and the cursors of a list for one scope, in its default order and without
 * filters, for code that reads the list by another statement.
 */
export function cursorsOf<Row, Scope, Filters>(list: ListDefinition<Row, Scope, Filters>, scope: Scope) {
  const { name, descending } = orderOf({ sort: list.defaultSort })
  const sort = list.sorts[name] as Sort
  const boundTo = fingerprint(list.name, name, descending, scope)
  return {
    positionOf: (cursor: string): Position => positionOf(boundTo, cursor, sort, list.id),
    cursorOf: (position: Position): string => encodeCursor(boundTo, position),
  }
}

/**
 * Defines a list with keyset pagination: one prepared statement for each combination of filters and sort in use, and
 * one round trip for each page. It reads one row more than the limit to know whether there are more.
 */
export function defineList<
  Row extends object,
  Scope extends object = object,
  Filters extends object = object,
  Principal extends object = object,
>(definition: ListDefinition<Row, Scope & Principal, Filters>) {
  const list = definition as unknown as AnyList
  const { id } = list
  const filters = Object.keys(list.filters ?? {}) as (keyof Filters & string)[]
  const read = pageReader(list)
  const many = manyReader(list)
  const counts = manyCounter(list)
  const total = statements(
    `${list.name}.count`,
    (_, $: Params<Record<string, unknown>>, used: string[]) =>
      sql<{ total: number }>`select count(*) as total from ${list.from} where ${conditionsOf(list, $, used)}`,
  )

  /** Resolves the query of a caller: what the SQL depends on, what it is filtered by, and what a cursor is bound to. */
  const plan = (query: ListRequest & Filters) => {
    const limit = Math.min(query.limit ?? DEFAULT_LIMIT, MAX_LIMIT)
    const { name: sort, descending } = orderOf({ sort: query.sort ?? list.defaultSort })
    const order = list.sorts[sort] as Sort
    const used = filters.filter(name => query[name] !== undefined)
    const values = Object.fromEntries(used.map(name => [name, query[name]]))
    const bind = (scope: Scope) => fingerprint(list.name, sort, descending, { ...scope, ...values })
    const { cursor } = query
    const positionIn = (boundTo: string) => (cursor === undefined ? undefined : positionOf(boundTo, cursor, order, id))
    const shape = { filters: used, sort, descending, after: cursor !== undefined }
    return { limit, key: order.key, used, values, bind, positionIn, shape }
  }

  /**
   * Returns a page, or undefined when the parent is missing or not visible. A cursor is bound to `scope` and the
   * filters in `query`; `principal` decides what the caller may see. Throws `cursor_mismatch` and `cursor_invalid`.
   */
  const page = async (
    on: Executor,
    scope: Scope,
    principal: Principal,
    query: ListRequest & Filters,
  ): Promise<ListOf<Row> | undefined> => {
    const { limit, key, used, values, bind, positionIn, shape } = plan(query)
    const input = { ...scope, ...values }
    const boundTo = bind(scope)
    const [afterValue = null, afterId = null] = positionIn(boundTo) ?? []
    const offset = offsetOf(query, limit)

    const [page, counted] = await Promise.all([
      read(on, { ...shape, offset: offset > 0 }, {
        ...input,
        ...principal,
        rows: limit + 1,
        offset,
        afterValue,
        afterId,
      } as PageInput),
      query.count === 'exact' ? total(on, used, { ...input, ...principal }) : undefined,
    ])
    if (!page) return undefined
    const { hasMore } = page
    const last = page.last as Record<string, string | number> | undefined
    const nextCursor =
      last && (hasMore || list.feed)
        ? encodeCursor(boundTo, [last[key] ?? LAST, last[id.key] as string | number])
        : list.feed
          ? (query.cursor ?? null)
          : null
    return { data: page.data, meta: { limit, nextCursor, hasMore, ...numbered(query, limit, counted?.[0]?.total) } }
  }

  /**
   * Returns a page of each of `scopes` from one statement, with its rows as objects. It is undefined where the parent is
   * missing or not visible, and an error where the cursor belongs to another parent.
   */
  const pages = async (
    on: Executor,
    scopes: readonly Scope[],
    principal: Principal,
    query: ListRequest & Filters,
  ): Promise<(Slice<Row> | Error | undefined)[]> => {
    const { limit, key, values, bind, positionIn, shape } = plan(query)
    const bounds = scopes.map(bind)
    const answers: (Slice<Row> | Error | undefined)[] = bounds.map(boundTo => faultOf(() => positionIn(boundTo)))
    const readable = scopes.flatMap((_, n) => (answers[n] === undefined ? [n] : []))
    if (readable.length === 0) return answers
    const [afterValue = null, afterId = null] = positionIn(bounds[readable[0] as number] as string) ?? []
    const input = { ...values, ...principal, rows: limit + 1, offset: 0, afterValue, afterId } as PageInput
    const asked = readable.map(n => scopes[n] as Scope & Record<string, unknown>)
    const found = Map.groupBy(await many(on, { ...shape, offset: false }, asked, input), row => row.n)
    for (const [at, n] of readable.entries()) {
      const rows = found.get(at)
      if (rows === undefined) continue
      const boundTo = bounds[n] as string
      const cursorOf = (row: Row) => {
        const { [key]: value, [id.key]: tie } = row as Record<string, string | number | null>
        return encodeCursor(boundTo, [value ?? LAST, tie as string | number])
      }
      answers[n] = { ...sliceOf(rows, id.key, limit), cursorOf } as Slice<Row>
    }
    return answers
  }

  /** Returns the number of rows of each of `scopes` from one statement; undefined where the parent is not visible. */
  const totals = async (
    on: Executor,
    scopes: readonly Scope[],
    principal: Principal,
    query: ListRequest & Filters,
  ): Promise<(number | undefined)[]> => {
    const { used, values } = plan(query)
    const rows = await counts(on, used, scopes as readonly (Scope & Record<string, unknown>)[], {
      ...values,
      ...principal,
    })
    const byScope = new Map(rows.map(({ n, total }) => [n, total]))
    return scopes.map((_, n) => byScope.get(n))
  }

  return Object.assign(page, { pages, totals })
}

/** A page as objects. */
export interface Slice<Row> {
  rows: Row[]
  hasMore: boolean
  cursorOf(row: Row): string
}

/** A list that is visible and empty comes as one row of nulls. */
function sliceOf(found: Record<string, unknown>[], idKey: string, limit: number) {
  const rows = found.filter(row => row[idKey] !== null)
  return { rows: rows.slice(0, limit), hasMore: rows.length > limit }
}

function faultOf(check: () => unknown): Error | undefined {
  try {
    check()
    return undefined
  } catch (error) {
    return error as Error
  }
}

function offsetOf({ page, cursor }: ListRequest, limit: number): number {
  if (page === undefined) return 0
  if (cursor !== undefined) throw invalidParameter('page', 'excludes cursor: use one of them')
  if (page * limit > NUMBERED_ROWS)
    throw invalidParameter('page', `reaches past the first ${NUMBERED_ROWS} rows: use cursor`)
  return (page - 1) * limit
}

const numbered = ({ page }: ListRequest, limit: number, total: number | undefined) => ({
  ...(page === undefined ? {} : { page }),
  ...(total === undefined ? {} : { total, totalPages: Math.ceil(total / limit) }),
})
