import { decodeCursor, type Position } from '../../lib/cursor.ts'
import type { Sort } from './page.ts'

/** A missing time sorts last: the index is on `coalesce(…, 'infinity')`. */
export const LAST = 'infinity'

/** Returns the position in a cursor that was issued for `boundTo`. Throws `cursor_invalid`, `cursor_mismatch`. */
export function positionOf(boundTo: string, cursor: string, sort: Sort, id: Sort): Position {
  const fits = ([value, tie, ...more]: Position) => more.length === 0 && isOf[sort.type](value) && isOf[id.type](tie)
  return decodeCursor(boundTo, cursor, fits)
}

/**
 * Whether it is a time in the form of our responses, of a day that exists, from year 1 on: PostgreSQL has no year 0.
 */
const isTime = (value: unknown): boolean => {
  const milliseconds = typeof value === 'string' && value >= '0001' ? Date.parse(value) : Number.NaN
  return !Number.isNaN(milliseconds) && new Date(milliseconds).toISOString() === value
}

const isText = (form: RegExp) => (value: unknown) => typeof value === 'string' && form.test(value)

/** Checks the values of a position by type: a client may have changed the cursor. */
const isOf: Record<Sort['type'], (value: unknown) => boolean> = {
  uuid: isText(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
  timestamptz: value => value === LAST || isTime(value),
  int: value => Number.isInteger(value) && Math.abs(value as number) < 2 ** 31,
  bigint: Number.isSafeInteger,
  xid8: isText(/^\d{1,18}$/),
  // Text that PostgreSQL stores.
  text: isText(/^[^\0]{1,1000}$/),
}
