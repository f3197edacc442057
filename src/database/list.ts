import { sql } from 'drizzle-orm'
import { encodeCursor, fingerprint, type Position } from '../lib/cursor.ts'
import { invalidParameter } from '../lib/errors.ts'
import { DEFAULT_LIMIT, type ListOf, type ListRequest, MAX_LIMIT } from '../lib/schema.ts'
import type { Executor } from './executor.ts'
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
  const total = statements(
    `${list.name}.count`,
    (_, $: Params<Record<string, unknown>>, used: string[]) =>
      sql<{ total: number }>`select count(*) as total from ${list.from} where ${conditionsOf(list, $, used)}`,
  )

  /**
   * Returns a page, or undefined when the parent is missing or not visible. A cursor is bound to `scope` and the
   * filters in `query`; `principal` decides what the caller may see. Throws `cursor_mismatch` and `cursor_invalid`.
   */
  return async (
    on: Executor,
    scope: Scope,
    principal: Principal,
    query: ListRequest & Filters,
  ): Promise<ListOf<Row> | undefined> => {
    const limit = Math.min(query.limit ?? DEFAULT_LIMIT, MAX_LIMIT)
    const { name: sort, descending } = orderOf({ sort: query.sort ?? list.defaultSort })
    const { key } = list.sorts[sort] as Sort
    const used = filters.filter(name => query[name] !== undefined)
    const input = { ...scope, ...Object.fromEntries(used.map(name => [name, query[name]])) }
    const boundTo = fingerprint(list.name, sort, descending, input)
    const position =
      query.cursor === undefined ? undefined : positionOf(boundTo, query.cursor, list.sorts[sort] as Sort, id)
    const offset = offsetOf(query, limit)
    const shape = { filters: used, sort, descending, after: position !== undefined, offset: offset > 0 }
    const [afterValue = null, afterId = null] = position ?? []

    const [page, counted] = await Promise.all([
      read(on, shape, { ...input, ...principal, rows: limit + 1, offset, afterValue, afterId } as PageInput),
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
