import type { Json, Operation, Specification } from './specification.ts'

/** A place in a request that takes a value, with its schema. */
export interface Place {
  at: 'path' | 'query' | 'header' | 'body'
  /** The steps from the root of the body, `0` for the items of an array; or the name of the parameter. */
  path: (string | number)[]
  schema: Json
}

/** Returns every place of a request that takes text or numbers, except enums. */
export function placesOf(specification: Specification, { parameters, body }: Operation): Place[] {
  const outside = parameters.map(({ name, in: at, schema }) => ({ at, path: [name], schema }))
  return [...outside.filter(({ schema }) => isScalar(schema)), ...inBody(specification, body)]
}

const isScalar = ({ type, enum: words }: Json): boolean =>
  !words && [type].flat().some(name => ['string', 'integer', 'number'].includes(name))

function inBody(specification: Specification, given: Json, path: Place['path'] = []): Place[] {
  const schema = specification.resolve(given)
  if (!schema) return []
  const types = [schema.type].flat()
  if (types.includes('array')) return inBody(specification, schema.items, [...path, 0])
  if (types.includes('object'))
    return Object.entries(schema.properties ?? {}).flatMap(([name, value]) =>
      inBody(specification, value, [...path, name]),
    )
  return isScalar(schema) ? [{ at: 'body', path, schema }] : []
}

/** Whether the schema accepts any text, without a form. */
export const isFree = ({ format, pattern, enum: words }: Json): boolean =>
  !words && !pattern && (format === undefined || format === 'password')

/** A value in a request: JSON in a body, text elsewhere. */
export type Wire = { json: string; text: string }
const text = (value: string): Wire => ({ json: JSON.stringify(value), text: value })
const digits = (value: string): Wire => ({ json: value, text: value })

const ID = '0190a000-1234-7abc-8def-0123456789ab'
const BLANKS = [
  '   ',
  '\u00a0\u3000',
  '\u200b\u2060\ufeff',
  '\u3164\u115f\uffa0',
  '\u2800',
  '\u{e0020}',
  '\u00ad',
  '\u034f',
]
const NO_IDS = [`urn:uuid:${ID}`, `{${ID}}`, ID.replaceAll('-', ''), `${ID}0`, ID.replace('0', '\uff10')]
const NO_TIMES = [
  '2016-12-31T23:59:60Z',
  '2026-02-30T00:00:00Z',
  '2026-01-31T24:00:00Z',
  '2026-01-31T12:00:00+24:00',
  '2026-01-31T12:00:00',
  '2026-01-31',
  '0000-01-01T00:00:00Z',
  '0001-01-01T00:00:00+00:01',
  '9999-12-31T23:59:59-00:01',
  '10000-01-01T00:00:00Z',
  '+010000-01-01T00:00:00Z',
  'infinity',
  'now',
]
const NO_INTEGERS = ['1e21', '-1e21', '9007199254740993', '1e400', '123456789012345678901234567890', '0.5']

/** Returns values that no column can store, or that look valid and are not. */
export function refusedBy({ at, path, schema: { type, format, minLength = 0 } }: Place): Wire[] {
  if ([type].flat().includes('integer')) return NO_INTEGERS.map(digits)
  if (format === 'uuid') return NO_IDS.map(text)
  if (format === 'date-time') return NO_TIMES.map(text)
  const shown = minLength > 0 && /^(name|title)$/.test(String(path.at(-1)))
  // A URL is UTF-8, which has no lone surrogates.
  const halves = at === 'body' ? ['a\ud800b', '\udfffa'] : []
  return ['a\u0000b', ...halves, ...(shown ? BLANKS : [])].map(text)
}

const TIMES = [
  ['2030-06-01T12:00:00+16:00', '2030-05-31T20:00:00.000Z'],
  ['2030-06-01T12:00:00.123456789-23:59', '2030-06-02T11:59:00.123Z'],
  ['9999-12-31t23:59:59.999z', '9999-12-31T23:59:59.999Z'],
  ['9999-12-31T23:59:59.999+23:59', '9999-12-31T00:00:59.999Z'],
] as const

/** Returns a value in an unusual form, a different one each turn; undefined when there is only one form. */
export function unusualOf({ type, format, minimum, maxLength = 0, ...rest }: Json, turn: number): Wire | undefined {
  if ([type].flat().includes('integer')) return digits(minimum > 0 ? `${minimum}.0e0` : '-0')
  if (format === 'date-time') return text(TIMES[turn % TIMES.length]?.[0] as string)
  // After composition it has exactly the maximum length.
  return isFree({ format, ...rest }) && format === undefined ? text('e\u0301'.repeat(maxLength)) : undefined
}

/** The normal form of the times above, in which the API returns them. */
export const normalTimes: string[] = TIMES.map(([, normal]) => normal)

/** Returns the strings of a response that are not in the normal form of ids, times and texts. */
export function abnormalIn(value: Json): string[] {
  if (typeof value === 'string') return isNormal(value) ? [] : [value]
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(abnormalIn) : []
}

const ANY_ID = /^(urn:uuid:)?\{?[0-9a-f]{8}-?([0-9a-f]{4}-?){3}[0-9a-f]{12}\}?$/i
const PLAIN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const ANY_TIME = /^\+?\d{4,6}-\d\d-\d\d[t ]\d\d:\d\d/i
const UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const isNormal = (value: string): boolean =>
  value === value.normalize('NFC') &&
  (!ANY_ID.test(value) || PLAIN_ID.test(value)) &&
  (!ANY_TIME.test(value) || UTC.test(value))
