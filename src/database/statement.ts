import { is, Param, Placeholder, type SQL, type SQLWrapper } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { PgDialect } from 'drizzle-orm/pg-core'
import type { Executor } from './executor.ts'
import { RowPlan } from './fast-path/rows.ts'

const CASING = 'snake_case'
const dialect = new PgDialect({ casing: CASING })
/** Builds SQL and types; it has no connection. */
export const builder = drizzle.mock({ casing: CASING })
export type Builder = typeof builder

/** Placeholders for the values of one call, for use in `build`. */
export type Params<Input> = { readonly [K in keyof Input]-?: Placeholder<K & string, Input[K]> }

type RowOf<Q> = Q extends PromiseLike<(infer Row)[]> ? Row : Q extends SQL<infer Row> ? Row : never

export type Statement<Input, Row> = (on: Executor, input: Input) => Promise<Row[]>

const placeholders = new Proxy({}, { get: (_, name: string) => new Placeholder(name) })

/**
 * Returns a function that reads a parameter's value from the input of a call; the choice is made once per statement.
 */
function reader(param: unknown): (input: Record<string, unknown>) => unknown {
  if (is(param, Placeholder)) return input => input[param.name]
  if (!is(param, Param)) return () => param
  const { value, encoder } = param
  if (is(value, Placeholder)) return input => encoder.mapToDriverValue(input[value.name])
  return () => encoder.mapToDriverValue(value)
}

const texts = new Map<string, string>()

/** The SQL of every statement defined so far, by its name. */
export const statementTexts: ReadonlyMap<string, string> = texts

/** Builds the SQL of a statement once; returns a function that adds the values of a call. */
export function prepared<Input>(name: string, build: (db: Builder, $: Params<Input>) => SQLWrapper) {
  const { sql: text, params } = dialect.sqlToQuery(build(builder, placeholders as Params<Input>).getSQL())
  texts.set(name, text)
  const readers = params.map(reader)
  return (input: Input) => ({ name, text, values: readers.map(read => read(input as Record<string, unknown>)) })
}

/**
 * Defines a prepared statement; Drizzle builds its SQL and types once: `statement('tasks.find', (db, $: Params<{ id:
 * string }>) => …)`. Each connection prepares it once under its name. It runs on the executor that is passed, so inside
 * a transaction it is part of that transaction. Columns come back in camelCase, timestamps as ISO 8601 text.
 */
export function statement<Input, Q extends SQLWrapper>(
  name: string,
  build: (db: Builder, $: Params<Input>) => Q,
): Statement<Input, RowOf<Q>> {
  const query = prepared(name, build)
  const plan = new RowPlan()
  return (on, input) => on.run({ ...query(input), rows: plan.rows() }) as Promise<RowOf<Q>[]>
}

/** For SQL that depends on a shape from a closed set: calls `make` once for each shape in use, with a unique name. */
export function shaped<Shape, Made>(name: string, make: (name: string, shape: Shape) => Made): (shape: Shape) => Made {
  const known = new Map<string, Made>()
  return shape => {
    const key = JSON.stringify(shape)
    let made = known.get(key)
    if (made === undefined) {
      made = make(`${name}#${known.size}`, shape)
      known.set(key, made)
    }
    return made
  }
}

/** Defines a statement whose SQL depends on a shape; see `shaped`. */
export function statements<Shape, Input, Q extends SQLWrapper>(
  name: string,
  build: (db: Builder, $: Params<Input>, shape: Shape) => Q,
): (on: Executor, shape: Shape, input: Input) => Promise<RowOf<Q>[]> {
  const of = shaped(name, (name, shape: Shape) => statement<Input, Q>(name, (db, $) => build(db, $, shape)))
  return (on, shape, input) => of(shape)(on, input)
}

/** Returns a function that returns the first row of a statement, or undefined. */
export function one<Input, Row>(run: Statement<Input, Row>): (on: Executor, input: Input) => Promise<Row | undefined> {
  return async (on, input) => (await run(on, input))[0]
}
