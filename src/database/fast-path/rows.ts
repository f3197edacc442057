import { asText, isAscii, parserOf } from '../parsers.ts'
import { camelCase, type Field, type Row, type Rows } from '../query.ts'
import { COUNT_BYTES, LENGTH_BYTES, NULL, type WireRow } from './wire.ts'

export type ReadRow = (row: WireRow) => Row

/**
 * Returns source code that reads the value of `length` bytes at `at` from the row; `text` is the whole row as Latin-1.
 */
function expressionOf(oid: number, column: number): string {
  const value = isAscii(oid) ? 'text.slice(at, at + length)' : 'bytes.utf8Slice(start + at, start + at + length)'
  return parserOf(oid) === asText ? value : `parsers[${column}](${value})`
}

/**
 * Compiles a reader for the columns of a statement. The row becomes one string, and most values are slices of it: a
 * separate string for each value is a tenth of the cost of a list. The reader uses an object literal, which has its
 * final shape at once; an object filled in a loop leaves three times the garbage.
 */
export function compileReader(fields: Field[]): ReadRow {
  const values = fields.map(
    ({ dataTypeID }, column) => `
    length = bytes.readInt32BE(start + at); at += ${LENGTH_BYTES}
    let v${column} = null
    if (length !== ${NULL}) { v${column} = ${expressionOf(dataTypeID, column)}; at += length }`,
  )
  const properties = fields.map(({ name }, column) => `${JSON.stringify(camelCase(name))}: v${column}`)
  const source = `return ({ bytes, start, end }) => {
    const text = bytes.latin1Slice(start, end)
    let at = ${COUNT_BYTES}
    let length = 0${values.join('')}
    return { ${properties.join(', ')} }
  }`
  return new Function('parsers', source)(fields.map(field => parserOf(field.dataTypeID)))
}

/** What is known about the columns of one statement. It is learned from the first answer and does not change. */
export abstract class Plan {
  #fields: Field[] | undefined

  get described(): boolean {
    return this.#fields !== undefined
  }

  /**
   * Checks the columns, which each connection describes once. A later connection may have more columns at the end, as
   * after a migration; any other change would put values under wrong names and throws.
   */
  describe(fields: Field[]): void {
    if (this.#fields === undefined) this.learn(fields)
    else if (!this.#fields.every(({ name, dataTypeID }, n) => isField(fields[n], name, dataTypeID)))
      throw new Error('the columns of the statement have changed')
    this.#fields ??= fields
  }

  protected abstract learn(fields: Field[]): void
}

const isField = (field: Field | undefined, name: string, oid: number): boolean =>
  field?.name === name && field.dataTypeID === oid

/** Reads the rows of one statement as objects. */
export class RowPlan extends Plan {
  read: ReadRow = notDescribed

  rows(): Rows<Row> {
    return new PlainRows(this)
  }

  protected override learn(fields: Field[]): void {
    this.read = compileReader(fields)
  }
}

export function notDescribed(): never {
  throw new Error('a row came before its description')
}

class PlainRows implements Rows<Row> {
  readonly plan: RowPlan
  readonly #read: Row[] = []

  constructor(plan: RowPlan) {
    this.plan = plan
  }

  add(row: WireRow): void {
    this.#read.push(this.plan.read(row))
  }

  end(): Row[] {
    return this.#read
  }

  of(rows: Row[]): Row[] {
    return rows
  }
}
