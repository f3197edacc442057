import type { TObject } from '@sinclair/typebox'
import { and, type Column, type SQL, sql } from 'drizzle-orm'
import type { Executor } from '../executor.ts'
import { coalesce } from '../fast-path/coalesce.ts'
import { PagePlan } from '../fast-path/pages.ts'
import { type Params, prepared, shaped } from '../statement.ts'
import type { Page } from './plain-page.ts'

/** The most callers that share a statement: with more, the first would wait for the rows of the last. */
const MAX_TOGETHER = 16

/** One order of a list: the indexed expression, and the key of the row that carries its value. */
export interface Sort {
  on: SQL | Column
  key: string
  type: 'uuid' | 'timestamptz' | 'int' | 'bigint' | 'xid8' | 'text'
}

export interface ListDefinition<Row, Input, Filters> {
  name: string
  /** Pages are written as JSON by this schema, from the bytes that the database sends. */
  item: TObject & { static: Row }
  columns: SQL
  from: SQL
  /** Selects the rows of the list before filters; placeholders come from the input. */
  where($: Params<Input>): SQL
  /**
   * Selects the row that the list belongs to, when it exists and the caller may read it; without it the page is
   * undefined. So an empty list and an invisible one are told apart in the same round trip. A list with a parent takes
   * only ids as its scope and principal, so concurrent callers can share a statement.
   */
  parent?: ($: Params<Input>) => SQL
  /** Breaks ties in every sort, in the same direction. */
  id: Sort
  /** A feed returns a cursor on every page, also when nothing follows yet. */
  feed?: boolean
  sorts: Record<string, Sort>
  defaultSort: string
  /** Named query parameters; only those that are present become part of the SQL. */
  filters?: { [F in keyof Filters]-?: ($: Params<Filters>) => SQL }
}

/** Everything besides the list that the SQL of a page depends on. */
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

/** The input of one page: paging, scope and principal, and filters. */
export type PageInput = Paging & Record<string, unknown>
type ReadPage = (on: Executor, shape: Shape, input: PageInput) => Promise<Page | undefined>
/** The generic types matter only to the caller of a list. */
export type AnyList = ListDefinition<unknown, Record<string, unknown>, Record<string, unknown>>
type Inputs = Params<Record<string, unknown>>

/** Returns the condition of a page before paging. */
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

export function pageOf(list: AnyList, $: Inputs, shape: Shape): SQL {
  const { on, key } = list.sorts[shape.sort] as Sort
  const direction = sql.raw(shape.descending ? 'desc' : 'asc')
  const tie = key === list.id.key ? sql`` : sql`, ${list.id.on} ${direction}`
  const where = and(conditionsOf(list, $, shape.filters), shape.after ? after(list, $, shape) : undefined)
  const offset = shape.offset ? sql` offset ${$.offset}` : sql``
  return sql`select ${list.columns} from ${list.from} where ${where} order by ${on} ${direction}${tie} limit ${$.rows}${offset}`
}

/** Returns a function that reads one page; undefined when the list has a parent and the caller cannot see it. */
export function pageReader(list: AnyList): ReadPage {
  const statementOf = shaped(list.name, (name, shape: Shape) => {
    const plan = new PagePlan(list)
    const query = prepared(name, (_, $: Inputs) => {
      const page = pageOf(list, $, shape)
      return list.parent ? sql`select page.* from ${list.parent($)} left join lateral (${page}) page on true` : page
    })
    return (on: Executor, input: PageInput) => on.run({ ...query(input), rows: plan.rows([limitOf(input)]) })
  })
  const alone: ReadPage = async (on, shape, input) => (await statementOf(shape)(on, input))[0]
  if (!list.parent) return alone
  const together = sharedReader(list, alone)
  // A filter may read many rows, and other callers must not wait for that: such pages do not share a statement.
  return (on, shape, input) => {
    const shares = on.coalesces && shape.filters.length === 0 && !shape.offset
    return (shares ? together : alone)(on, shape, input)
  }
}

/** The statement asks for one row more than the page holds, to know whether there are more. */
const limitOf = ({ rows }: Paging): number => rows - 1

/** Refers to the input of each caller as a column of the relation `asked`. */
const asked: Inputs = new Proxy({}, { get: (_, name: string) => sql.raw(`asked."${name}"`) })

/** Reads the pages of many callers in one statement, which checks access for each of them. */
function pagesReader(list: AnyList, name: string, { shape, names }: Shared) {
  const { type } = list.sorts[shape.sort] as Sort
  const types: Record<string, string> = { rows: 'int', offset: 'int', afterValue: type, afterId: list.id.type }
  const columns = sql.raw(names.map(name => `"${name}" ${types[name] ?? 'uuid'}`).join(', '))
  const plan = new PagePlan(list)
  // `offset 0` stops the planner from joining all existing parents to the many callers that it expects.
  const query = prepared(
    name,
    (_, $: Params<{ asked: string }>) => sql`
      select asked.n, page.* from json_to_recordset(${$.asked}::json) as asked(n int, ${columns})
      cross join lateral (select from ${list.parent?.(asked)} offset 0) parent
      left join lateral (${pageOf(list, asked, shape)}) page on true`,
  )
  return (on: Executor, inputs: readonly PageInput[]) =>
    on.run({
      ...query({ asked: JSON.stringify(inputs.map((input, n) => ({ n, ...input }))) }),
      rows: plan.rows(inputs.map(limitOf)),
    })
}

/** Lets concurrent pages of one shape share a statement. */
function sharedReader(list: AnyList, alone: ReadPage): ReadPage {
  const statementOf = shaped(`${list.name}.shared`, (name, shared: Shared) => pagesReader(list, name, shared))
  const open = (on: Executor, shape: Shape) =>
    coalesce(
      on,
      async (inputs: readonly PageInput[]): Promise<(Page | undefined)[]> => {
        const [first] = inputs as [PageInput]
        if (inputs.length === 1) return [await alone(on, shape, first)]
        return statementOf({ shape, names: Object.keys(first) })(on, inputs)
      },
      { maxBatchSize: MAX_TOGETHER },
    )

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
