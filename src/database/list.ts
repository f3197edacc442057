import { and, type Column, type SQL, sql } from 'drizzle-orm'
import { decodeCursor, encodeCursor, fingerprint, type Position } from '../lib/cursor.ts'
import { requestErrors } from '../lib/errors.ts'
import { DEFAULT_LIMIT, type ListOf, type ListRequest, MAX_LIMIT } from '../lib/schema.ts'
import type { Executor } from './executor.ts'
import { type Params, statements } from './statement.ts'

/** Numbered pages reach this far; deeper reading goes by cursor. */
const NUMBERED_ROWS = 10_000
/** A missing time sorts last: its index holds `coalesce(…, 'infinity')`. */
const LAST = 'infinity'

/** What a list can be ordered by: the expression its index holds, and the key of the row that carries the value. */
export interface Sort {
  on: SQL | Column
  key: string
  type: 'uuid' | 'timestamptz' | 'int' | 'bigint' | 'xid8'
}

interface ListDefinition<Input, Filters> {
  name: string
  columns: SQL
  from: SQL
  /** The rows of the list, before filters; placeholders come from the input. */
  where($: Params<Input>): SQL
  /**
   * The row that the list belongs to, when it exists and the caller may read it. Without it the answer is undefined,
   * so that an empty list and a list nobody may see are told apart in the same round trip.
   */
  parent?: ($: Params<Input>) => SQL
  /** The tie-breaker of every sort, in the same direction. */
  id: Sort
  /** A feed names the cursor to go on from even where nothing follows yet. */
  feed?: boolean
  sorts: Record<string, Sort>
  defaultSort: string
  /** Named query parameters; only those that are present become part of the SQL. */
  filters?: { [F in keyof Filters]-?: ($: Params<Filters>) => SQL }
}

interface Shape {
  filters: string[]
  sort: string
  descending: boolean
  after: boolean
  offset: boolean
}

interface Paging {
  rows: number
  offset: number
  afterValue: string | number | null
  afterId: string | number | null
}

const orderOf = ({ sort }: { sort: string }) => ({ name: sort.replace(/^-/, ''), descending: sort.startsWith('-') })

/**
 * A list by keyset: one prepared statement for each combination of filters and sort met, one round trip for each page,
 * and one row more than asked for says that there is more.
 */
export function defineList<
  Row extends object,
  Scope extends object = object,
  Filters extends object = object,
  Grant extends object = object,
>(list: ListDefinition<Scope & Grant, Filters>) {
  type All = Scope & Grant & Filters
  const { parent, id } = list
  const filters = (list.filters ?? {}) as Record<string, ($: Params<All>) => SQL>

  const conditions = ($: Params<All>, shape: Shape): SQL =>
    and(
      list.where($),
      ...shape.filters.map(name => filters[name]?.($)),
      after($ as unknown as Params<Paging>, shape),
    ) as SQL

  const after = ($: Params<Paging>, { sort, descending, after }: Shape): SQL | undefined => {
    if (!after) return undefined
    const { on, key, type } = list.sorts[sort] as Sort
    const than = sql.raw(descending ? '<' : '>')
    const afterId = sql`${$.afterId}::${sql.raw(id.type)}`
    if (key === id.key) return sql`${on} ${than} ${afterId}`
    return sql`(${on}, ${id.on}) ${than} (${$.afterValue}::${sql.raw(type)}, ${afterId})`
  }

  const read = statements(list.name, (_, $: Params<All & Paging>, shape: Shape) => {
    const { on, key } = list.sorts[shape.sort] as Sort
    const direction = sql.raw(shape.descending ? 'desc' : 'asc')
    const order = key === id.key ? sql`${on} ${direction}` : sql`${on} ${direction}, ${id.on} ${direction}`
    const offset = shape.offset ? sql` offset ${$.offset}` : sql``
    const page = sql`select ${list.columns} from ${list.from} where ${conditions($, shape)} order by ${order} limit ${$.rows}${offset}`
    return parent
      ? sql<Row>`select page.* from ${parent($)} left join lateral (${page}) page on true`
      : sql<Row>`${page}`
  })

  const total = statements(
    `${list.name}.count`,
    (_, $: Params<All>, shape: Shape) =>
      sql<{ total: number }>`select count(*) as total from ${list.from} where ${conditions($, shape)}`,
  )

  /**
   * A page, or undefined where the parent is missing or not visible. A cursor is bound to `scope` and the filters in
   * `query`; `grant` is what the caller may see. Throws `cursor_mismatch` and `cursor_invalid`.
   */
  return async (
    on: Executor,
    scope: Scope,
    grant: Grant,
    query: ListRequest & Filters,
  ): Promise<ListOf<Row> | undefined> => {
    const limit = Math.min(query.limit ?? DEFAULT_LIMIT, MAX_LIMIT)
    const { name: sort, descending } = orderOf({ sort: query.sort ?? list.defaultSort })
    const used = Object.keys(filters).filter(name => query[name as keyof Filters] !== undefined)
    const input = { ...scope, ...Object.fromEntries(used.map(name => [name, query[name as keyof Filters]])) }
    const boundTo = fingerprint(list.name, sort, descending, input)
    const position =
      query.cursor === undefined ? undefined : positionOf(boundTo, query.cursor, list.sorts[sort] as Sort, id)
    const offset = offsetOf(query, limit)
    const shape = { filters: used, sort, descending, after: position !== undefined, offset: offset > 0 }

    const [rows, counted] = await Promise.all([
      read(on, shape, {
        ...input,
        ...grant,
        rows: limit + 1,
        offset,
        afterValue: position?.[0] ?? null,
        afterId: position?.[1] ?? null,
      } as unknown as All & Paging),
      query.count === 'exact'
        ? total(on, { ...shape, after: false, offset: false }, { ...input, ...grant } as unknown as All)
        : undefined,
    ])
    if (parent && rows.length === 0) return undefined
    const isNothing = (row: object | undefined) => (row as Record<string, unknown> | undefined)?.[id.key] == null
    const data = (isNothing(rows[0]) ? [] : rows.slice(0, limit)) as Row[]
    const hasMore = rows.length > limit
    const { key } = list.sorts[sort] as Sort
    const last = data.at(-1) as Record<string, string | number> | undefined
    const nextCursor =
      last && (hasMore || list.feed)
        ? encodeCursor(boundTo, [last[key] ?? LAST, last[id.key] as string | number])
        : list.feed
          ? (query.cursor ?? null)
          : null
    return { data, meta: { limit, nextCursor, hasMore, ...numbered(query, limit, counted?.[0]?.total) } }
  }
}

function offsetOf({ page, cursor }: ListRequest, limit: number): number {
  if (page === undefined) return 0
  if (cursor !== undefined) throw unusable('page and cursor exclude each other')
  if (page * limit > NUMBERED_ROWS) throw unusable(`page reaches past the first ${NUMBERED_ROWS} rows; use cursor`)
  return (page - 1) * limit
}

const unusable = (detail: string) =>
  requestErrors.validation_failed({ detail, errors: [{ pointer: 'querystring:/page', detail }] })

const numbered = ({ page }: ListRequest, limit: number, total: number | undefined) => ({
  ...(page === undefined ? {} : { page }),
  ...(total === undefined ? {} : { total, totalPages: Math.ceil(total / limit) }),
})

function positionOf(boundTo: string, cursor: string, sort: Sort, id: Sort): Position {
  const fits = ([value, tie, ...more]: Position) => more.length === 0 && isOf[sort.type](value) && isOf[id.type](tie)
  return decodeCursor(boundTo, cursor, fits)
}

/** As our answers say it, and a day that exists; the database knows no year 0. */
const isTime = (value: unknown): boolean => {
  const milliseconds = typeof value === 'string' && value >= '0001' ? Date.parse(value) : Number.NaN
  return !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString() === value
}

const isText = (form: RegExp) => (value: unknown) => typeof value === 'string' && form.test(value)

/** What a position may hold: it came from us, but a client may have written it. */
const isOf: Record<Sort['type'], (value: unknown) => boolean> = {
  uuid: isText(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
  timestamptz: value => value === LAST || isTime(value),
  int: value => Number.isInteger(value) && Math.abs(value as number) < 2 ** 31,
  bigint: Number.isSafeInteger,
  xid8: isText(/^\d{1,18}$/),
}
