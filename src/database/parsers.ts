import pg from 'pg'

const { builtins } = pg.types
const MILLISECONDS = 3

/** Converts `2026-01-31 12:00:00.12+00`, PostgreSQL's text in UTC, to `2026-01-31T12:00:00.120Z`. */
export function isoText(text: string): string {
  if (text.length === '2026-01-31 12:00:00.123+00'.length) return `${text.slice(0, 10)}T${text.slice(11, 23)}Z`
  const [date, time = ''] = text.slice(0, -'+00'.length).split(' ')
  const [seconds, fraction = ''] = time.split('.')
  return `${date}T${seconds}.${fraction.padEnd(MILLISECONDS, '0')}Z`
}

/** Throws `RangeError` past 2^53, where a number would be wrong without notice. */
export function safeInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value)) throw new RangeError('integer beyond 2^53')
  return value
}

export const asText = (text: string): string => text

/** Types whose text needs no conversion. */
const TEXT_TYPES: number[] = [builtins.TEXT, builtins.VARCHAR, builtins.UUID]
/** Types whose text is always ASCII. */
const ASCII_TYPES: number[] = [
  builtins.UUID,
  builtins.TIMESTAMPTZ,
  builtins.BOOL,
  builtins.INT2,
  builtins.INT4,
  builtins.INT8,
  builtins.BYTEA,
]

export const isAscii = (oid: number): boolean => ASCII_TYPES.includes(oid)

/** Returns the driver's parser of a type, but timestamps become ISO 8601 text and bigint an exact number. */
export function parserOf(oid: number): (text: string) => unknown {
  if (TEXT_TYPES.includes(oid)) return asText
  if (oid === builtins.TIMESTAMPTZ) return isoText
  if (oid === builtins.INT8) return safeInteger
  return pg.types.getTypeParser(oid, 'text')
}
