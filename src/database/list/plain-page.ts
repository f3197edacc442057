import type { TObject } from '@sinclair/typebox'
import type { Written } from '../../lib/schema.ts'
import type { Row } from '../query.ts'

export interface Page {
  data: Written<never> | never[]
  hasMore: boolean
  /** The last row, when there are more or the list is a feed. */
  last: Row | undefined
}

/** The part of a list definition that its pages depend on. */
export interface Listed {
  id: { key: string }
  /** Without a parent every caller may see the list. */
  parent?: unknown
  item: TObject
  feed?: boolean
}

/**
 * Makes the page of one caller from rows that are objects; undefined when the parent is not visible. The response
 * schema removes properties that are not part of the item.
 */
export function plainPage({ id, parent }: Listed, limit: number, rows: Row[]): Page | undefined {
  if (parent !== undefined && rows.length === 0) return undefined
  // A list that is visible and empty comes as one row of nulls.
  const found = rows.filter(row => row[id.key] !== null)
  const data = found.slice(0, limit)
  return { data: data as never[], hasMore: found.length > limit, last: data.at(-1) }
}
