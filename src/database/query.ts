import pg from 'pg'
import { asText, isAscii, parserOf } from './parsers.ts'
import type { WireRow } from './wire.ts'

export type Row = Record<string, unknown>

interface Field {
  name: string
  dataTypeID: number
}
/** The part of the driver's wire protocol that a prepared statement needs. */
interface Connection {
  bind(message: object): void
  execute(message: object): void
  sync(): void
}
/** What the driver's query has beyond its published types; pg is pinned to the version this was read in. */
interface DriverQuery {
  name: string
  values: unknown[]
  /** The driver wraps it to stop the clock of the query: whoever answers, answers through it. */
  callback: (error: Error | null) => void
  submit(connection: pg.Connection): void
  hasBeenParsed(connection: Connection): boolean
  prepare(connection: Connection): void
}
const { Query: BaseQuery, utils } = pg as unknown as {
  Query: new (config: {
    name: string
    text: string
    values: unknown[]
    callback: DriverQuery['callback']
  }) => DriverQuery
  utils: { prepareValue(value: unknown): unknown }
}
interface Statement {
  name: string
  text: string
  values: unknown[]
  plan: RowPlan
}
type Done = (error: Error | null, rows: Row[]) => void

const camelCase = (column: string): string => column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())

type Read = (bytes: Buffer, start: number, end: number) => Row

/** Reads the value at `at`, `length` bytes long, out of the row: `text` is the whole row as Latin-1. */
function expressionOf(oid: number, column: number): string {
  const value = isAscii(oid) ? 'text.slice(at, at + length)' : 'bytes.utf8Slice(start + at, start + at + length)'
  return parserOf(oid) === asText ? value : `parsers[${column}](${value})`
}

/**
 * A reader compiled for the columns of a statement. The row becomes one string of which most values are slices: a string
 * made for each value by itself is a tenth of the cost of a list. An object literal has its final shape at once, while
 * one filled in a loop grows, and leaves three times the garbage.
 */
function compile(fields: Field[]): Read {
  const values = fields.map(
    ({ dataTypeID }, column) => `
    length = bytes.readInt32BE(start + at); at += 4
    let v${column} = null
    if (length !== -1) { v${column} = ${expressionOf(dataTypeID, column)}; at += length }`,
  )
  const properties = fields.map(({ name }, column) => `${JSON.stringify(camelCase(name))}: v${column}`)
  const source = `return (bytes, start, end) => {
    const text = bytes.latin1Slice(start, end)
    let at = 2
    let length = 0${values.join('')}
    return { ${properties.join(', ')} }
  }`
  return new Function('parsers', source)(fields.map(field => parserOf(field.dataTypeID)))
}

/** How to read the rows of one statement: learned from its first answer, and the same ever after. */
export class RowPlan {
  read: Read | undefined

  learn(fields: Field[]): void {
    this.read ??= compile(fields)
  }
}

/**
 * The driver's query, reading rows by a plan that outlives it. The driver's own builds a result with its parsers anew
 * for each execution and emits every row: a tenth of the cost of a read by id.
 */
export class StatementQuery extends BaseQuery {
  readonly #plan: RowPlan
  readonly #read: Row[]
  #failure: Error | undefined

  /** The driver is given the callback: set afterwards, V8 keeps the rows of every query until the next full collection. */
  constructor({ name, text, values, plan }: Statement, done: Done) {
    const read: Row[] = []
    super({ name, text, values, callback: error => done(error, read) })
    this.#plan = plan
    this.#read = read
  }

  /** Once the plan is known the rows need no description; the first time on a connection the driver sends everything. */
  override prepare(connection: Connection): void {
    if (this.#plan.read && this.hasBeenParsed(connection)) {
      connection.bind({ statement: this.name, values: this.values, valueMapper: utils.prepareValue })
      connection.execute({})
      connection.sync()
    } else super.prepare(connection)
  }

  handleRowDescription({ fields }: { fields: Field[] }): void {
    this.#plan.learn(fields)
  }

  handleDataRow({ bytes, start, end }: WireRow): void {
    if (this.#failure) return
    try {
      this.#read.push((this.#plan.read as Read)(bytes, start, end))
    } catch (error) {
      this.#failure = error as Error
    }
  }

  handleCommandComplete(): void {}

  handleReadyForQuery(): void {
    this.callback(this.#failure ?? null)
  }
}
