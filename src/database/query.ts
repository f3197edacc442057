import type { WireRow } from './fast-path/wire.ts'

export interface Field {
  name: string
  dataTypeID: number
}

export type Row = Record<string, unknown>

/** What becomes of the rows of one execution. On the fast path they come one by one, otherwise together, as objects. */
export interface Rows<Result> {
  /** What every execution of a statement has alike. */
  readonly plan: { readonly described: boolean; describe(fields: Field[]): void }
  /** Takes a row as it comes off the wire. */
  add(row: WireRow): void
  /** What the rows amount to, when all have been added. */
  end(): Result[]
  /** What rows amount to that the driver has read; their columns are in camelCase. */
  of(rows: Row[]): Result[]
}

/** A named text with its values, and what becomes of its rows. */
export interface Query<Result = unknown> {
  name: string
  text: string
  values: unknown[]
  rows: Rows<Result>
}

export const camelCase = (column: string): string =>
  column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
