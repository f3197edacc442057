import type { TObject } from '@sinclair/typebox'
import type { Written } from '../../lib/schema.ts'
import type { Row } from '../query.ts'

export interface Page {
  data: Written<never> | never[]
  hasMore: boolean
  /** The last row, where there is more or the list is a feed. */
  last: Row | undefined
}

/** What of a list its pages depend on. */
export interface Listed {
  id: { key: string }
  /** Without it every caller may see the list. */
  parent?: unknown
  item: TObject
  feed?: boolean
}

/** The page of one caller from rows that are objects; the schema of the response leaves out what is not of the item. */
export function plainPage({ id, parent }: Listed, limit: number, rows: Row[]): Page | undefined {
  if (parent !== undefined && rows.length === 0) return undefined
  // A list that is visible and empty is one row of nulls.
  const found = rows.filter(row => row[id.key] !== null)
  const data = found.slice(0, limit)
  return { data: data as never[], hasMore: found.length > limit, last: data.at(-1) }
}
