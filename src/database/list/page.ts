import { and, type Column, type SQL, sql } from 'drizzle-orm'
import { coalesce } from '../../lib/coalesce.ts'
import type { Executor } from '../executor.ts'
import { type Params, statements } from '../statement.ts'

/** Callers that share a statement: with more of them the first would wait for the rows of the last. */
const MAX_TOGETHER = 16

/** What a list can be ordered by: the expression its index holds, and the key of the row that carries the value. */
export interface Sort {
  on: SQL | Column
  key: string
  type: 'uuid' | 'timestamptz' | 'int' | 'bigint' | 'xid8'
}

export interface ListDefinition<Input, Filters> {
  name: string
  columns: SQL
  from: SQL
  /** The rows of the list, before filters; placeholders come from the input. */
  where($: Params<Input>): SQL
  /**
   * The row that the list belongs to, when it exists and the caller may read it. Without it the answer is undefined,
   * so that an empty list and a list nobody may see are told apart in the same round trip. With it, what scopes the list
   * and what grants it are ids, and concurrent callers share a statement.
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

/** What the SQL of a page depends on besides its list. */
export interface Shape {
  filters: string[]
  sort: string
  descending: boolean
  after: boolean
  offset: boolean
}

export interface Paging {
  rows: number
  offset: number
  afterValue: string | number | null
  afterId: string | number | null
}

/** The input of one page: its paging, what scopes and grants it, and its filters. */
export type PageInput = Paging & Record<string, unknown>
type Rows = Record<string, unknown>[]
type ReadPage = (on: Executor, shape: Shape, input: PageInput) => Promise<Rows>
/** The types of a list concern its caller only. */
export type AnyList = ListDefinition<Record<string, unknown>, Record<string, unknown>>
type Inputs = Params<Record<string, unknown>>

/** The condition of a page before paging. */
export function conditionsOf(list: AnyList, $: Inputs, filters: string[]): SQL {
  return and(list.where($), ...filters.map(name => list.filters?.[name]?.($))) as SQL
}

function after({ id, sorts }: AnyList, $: Inputs, { sort, descending }: Shape): SQL {
  const { on, key, type } = sorts[sort] as Sort
  const than = sql.raw(descending ? '<' : '>')
  const afterId = sql`${$.afterId}::${sql.raw(id.type)}`
  if (key === id.key) return sql`${on} ${than} ${afterId}`
  return sql`(${on}, ${id.on}) ${than} (${$.afterValue}::${sql.raw(type)}, ${afterId})`
}

function pageOf(list: AnyList, $: Inputs, shape: Shape): SQL {
  const { on, key } = list.sorts[shape.sort] as Sort
  const direction = sql.raw(shape.descending ? 'desc' : 'asc')
  const tie = key === list.id.key ? sql`` : sql`, ${list.id.on} ${direction}`
  const where = and(conditionsOf(list, $, shape.filters), shape.after ? after(list, $, shape) : undefined)
  const offset = shape.offset ? sql` offset ${$.offset}` : sql``
  return sql`select ${list.columns} from ${list.from} where ${where} order by ${on} ${direction}${tie} limit ${$.rows}${offset}`
}

/** The rows of one page; where the list has a parent, nothing at all when it cannot be seen, else at least one row. */
export function pageReader(list: AnyList): ReadPage {
  const alone = statements(list.name, (_, $: Inputs, shape: Shape) => {
    const page = pageOf(list, $, shape)
    return list.parent ? sql`select page.* from ${list.parent($)} left join lateral (${page}) page on true` : page
  }) as ReadPage
  if (!list.parent) return alone
  const together = sharedReader(list, alone)
  // A filter may have to look at many rows: nobody else waits for that.
  return (on, shape, input) => (shape.filters.length === 0 && !shape.offset ? together : alone)(on, shape, input)
}

/** What one of many callers asked, as a row of the relation `asked`. */
const asked: Inputs = new Proxy({}, { get: (_, name: string) => sql.raw(`asked."${name}"`) })

/** Concurrent pages of one shape share a statement, which checks each caller. */
function sharedReader(list: AnyList, alone: ReadPage): ReadPage {
  const read = statements(`${list.name}.shared`, (_, $: Params<{ asked: string }>, { shape, names }: Shared) => {
    const { type } = list.sorts[shape.sort] as Sort
    const types: Record<string, string> = { rows: 'int', offset: 'int', afterValue: type, afterId: list.id.type }
    const columns = sql.raw(names.map(name => `"${name}" ${types[name] ?? 'uuid'}`).join(', '))
    // `offset 0` keeps the planner from joining all parents there are to the many callers that it expects.
    return sql`
      select asked.n, page.* from json_to_recordset(${$.asked}::json) as asked(n int, ${columns})
      cross join lateral (select from ${list.parent?.(asked)} offset 0) parent
      left join lateral (${pageOf(list, asked, shape)}) page on true`
  }) as (on: Executor, shape: Shared, input: { asked: string }) => Promise<Rows>

  const open = (on: Executor, shape: Shape) =>
    coalesce(async (inputs: readonly PageInput[]) => {
      if (inputs.length === 1) return [await alone(on, shape, inputs[0] as PageInput)]
      const rows = await read(
        on,
        { shape, names: Object.keys(inputs[0] as PageInput) },
        { asked: JSON.stringify(inputs.map((input, n) => ({ n, ...input }))) },
      )
      const answers: Rows[] = inputs.map(() => [])
      for (const row of rows) answers[row.n as number]?.push(row)
      return answers
    }, MAX_TOGETHER)

  const known = new WeakMap<Executor, Map<string, ReturnType<typeof open>>>()
  return (on, shape, input) => {
    const shapes = known.get(on) ?? new Map()
    known.set(on, shapes)
    const key = `${shape.sort} ${shape.descending} ${shape.after}`
    const load = shapes.get(key) ?? open(on, shape)
    shapes.set(key, load)
    return load(input)
  }
}
interface Shared {
  shape: Shape
  names: string[]
}
