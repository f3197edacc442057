import { is, Param, Placeholder, type SQL, type SQLWrapper } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { PgDialect } from 'drizzle-orm/pg-core'
import type { Executor } from './executor.ts'
import { RowPlan } from './query.ts'

const CASING = 'snake_case'
const dialect = new PgDialect({ casing: CASING })
/** Builds SQL and types; it has no connection. */
export const builder = drizzle.mock({ casing: CASING })
export type Builder = typeof builder

/** The values of one call, as placeholders for `build`. */
export type Params<Input> = { readonly [K in keyof Input]-?: Placeholder<K & string, Input[K]> }

type RowOf<Q> = Q extends PromiseLike<(infer Row)[]> ? Row : Q extends SQL<infer Row> ? Row : never

export type Statement<Input, Row> = (on: Executor, input: Input) => Promise<Row[]>

const placeholders = new Proxy({}, { get: (_, name: string) => new Placeholder(name) })

/** One way to read a parameter's value from the input of a call; decided once per statement. */
function reader(param: unknown): (input: Record<string, unknown>) => unknown {
  if (is(param, Placeholder)) return input => input[param.name]
  if (!is(param, Param)) return () => param
  const { value, encoder } = param
  if (is(value, Placeholder)) return input => encoder.mapToDriverValue(input[value.name])
  return () => encoder.mapToDriverValue(value)
}

/**
 * A statement whose SQL and types Drizzle writes once: `statement('tasks.find', (db, $: Params<{ id: string }>) => …)`.
 * Each connection prepares it once under its name. It runs on whatever executor is passed, so inside a transaction it
 * is part of that transaction. Columns come back in camelCase, timestamps as ISO 8601 text.
 */
export function statement<Input, Q extends SQLWrapper>(
  name: string,
  build: (db: Builder, $: Params<Input>) => Q,
): Statement<Input, RowOf<Q>> {
  const { sql: text, params } = dialect.sqlToQuery(build(builder, placeholders as Params<Input>).getSQL())
  const readers = params.map(reader)
  const plan = new RowPlan()

  return (on, input) => {
    const values = readers.map(read => read(input as Record<string, unknown>))
    return on.run({ name, text, values, plan }) as Promise<RowOf<Q>[]>
  }
}

/** The same for a statement whose SQL depends on a shape from a closed set: one prepared statement for each shape met. */
export function statements<Shape, Input, Q extends SQLWrapper>(
  name: string,
  build: (db: Builder, $: Params<Input>, shape: Shape) => Q,
): (on: Executor, shape: Shape, input: Input) => Promise<RowOf<Q>[]> {
  const known = new Map<string, Statement<Input, RowOf<Q>>>()
  return (on, shape, input) => {
    const key = JSON.stringify(shape)
    let run = known.get(key)
    if (!run) {
      run = statement<Input, Q>(`${name}#${known.size}`, (db, $) => build(db, $, shape))
      known.set(key, run)
    }
    return run(on, input)
  }
}

/** The first row of a statement, or undefined. */
export function one<Input, Row>(run: Statement<Input, Row>): (on: Executor, input: Input) => Promise<Row | undefined> {
  return async (on, input) => (await run(on, input))[0]
}
