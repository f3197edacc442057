import { type SQL, sql } from 'drizzle-orm'
import type { Executor } from '../executor.ts'
import type { Row } from '../query.ts'
import { type Params, statements } from '../statement.ts'
import { type AnyList, conditionsOf, type PageInput, pageOf, type Shape } from './page.ts'

type Scope = Record<string, unknown>
type Inputs = Params<Record<string, unknown>>
type Numbered = Row & { n: number }

interface Shared {
  shape: Shape
  /** The names of the scope, which is another for each parent; all other values are the same. */
  names: string[]
}

/** Refers to the scope of each parent as a column of the relation `asked`, and to all other values as parameters. */
const scoped = ($: Inputs, names: string[]): Inputs =>
  new Proxy($, {
    get: (target, name: string) => (names.includes(name) ? sql.raw(`asked."${name}"`) : target[name]),
  })

/** The parents that were asked for and that the caller may see. */
function parentsOf(list: AnyList, $: Inputs, asked: Inputs, names: string[]): SQL {
  const columns = sql.raw(names.map(name => `"${name}" uuid`).join(', '))
  const visible = list.parent ? sql`cross join lateral (select from ${list.parent(asked)} offset 0) parent` : sql``
  return sql`json_to_recordset(${$.asked}::json) as asked(n int, ${columns}) ${visible}`
}

/** Reads a page of each of many parents in one statement. Its rows carry the number of their parent as `n`. */
export function manyReader(list: AnyList) {
  const read = statements(`${list.name}.many`, (_, $: Inputs, { shape, names }: Shared) => {
    const asked = scoped($, names)
    return sql<Numbered>`
      select asked.n, page.* from ${parentsOf(list, $, asked, names)}
      left join lateral (${pageOf(list, asked, shape)}) page on true`
  })
  return (on: Executor, shape: Shape, scopes: readonly Scope[], input: PageInput) =>
    read(on, { shape, names: Object.keys(scopes[0] as Scope) }, { ...input, asked: numbered(scopes) })
}

/** Counts the rows of each of many parents in one statement. */
export function manyCounter(list: AnyList) {
  const count = statements(`${list.name}.counts`, (_, $: Inputs, { filters, names }: Counted) => {
    const asked = scoped($, names)
    return sql<{ n: number; total: number }>`
      select asked.n, (select count(*) from ${list.from} where ${conditionsOf(list, asked, filters)}) as total
      from ${parentsOf(list, $, asked, names)}`
  })
  return (on: Executor, filters: string[], scopes: readonly Scope[], input: Record<string, unknown>) =>
    count(on, { filters, names: Object.keys(scopes[0] as Scope) }, { ...input, asked: numbered(scopes) })
}

interface Counted {
  filters: string[]
  names: string[]
}

const numbered = (scopes: readonly Scope[]): string => JSON.stringify(scopes.map((scope, n) => ({ ...scope, n })))
