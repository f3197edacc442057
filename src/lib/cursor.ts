import { crc32 } from 'node:zlib'
import { requestErrors } from './errors.ts'

export type Position = readonly (string | number)[]

/** Returns a checksum that binds a cursor to the list, its sort and its filters. */
export const fingerprint = (...bound: unknown[]): string => crc32(JSON.stringify(bound)).toString(36)

export const encodeCursor = (boundTo: string, position: Position): string =>
  Buffer.from(JSON.stringify([boundTo, ...position])).toString('base64url')

/**
 * Returns the position in `cursor`. Throws `cursor_invalid`, or `cursor_mismatch` when it was issued for something
 * else.
 */
export function decodeCursor(boundTo: string, cursor: string, isPosition: (position: Position) => boolean): Position {
  const [bound, ...position] = parse(cursor)
  if (typeof bound !== 'string') throw requestErrors.cursor_invalid()
  if (bound !== boundTo) throw requestErrors.cursor_mismatch()
  if (!isPosition(position)) throw requestErrors.cursor_invalid()
  return position
}

function parse(cursor: string): (string | number)[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    return Array.isArray(value) ? value : []
  } catch {
    return []
  }
}
