import type { WireRow } from './fast-path/wire.ts'

export interface Field {
  name: string
  dataTypeID: number
}

export type Row = Record<string, unknown>

/**
 * Collects the rows of one execution. On the fast path they are added one by one; otherwise they come together, as
 * objects.
 */
export interface Rows<Result> {
  /** The plan shared by every execution of a statement. */
  readonly plan: { readonly described: boolean; describe(fields: Field[]): void }
  /** Adds a row as received. */
  add(row: WireRow): void
  /** Returns the results after all rows have been added. */
  end(): Result[]
  /** Returns the results for rows that the driver has read; their columns are in camelCase. */
  of(rows: Row[]): Result[]
}

/** A named SQL text with its values, and the collector of its rows. */
export interface Query<Result = unknown> {
  name: string
  text: string
  values: unknown[]
  rows: Rows<Result>
}

export const camelCase = (column: string): string =>
  column.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
