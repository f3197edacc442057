import type { TSchema } from '@sinclair/typebox'
import { memoize } from './memo.ts'
import { exactForm, type NormalForm, textForm } from './text-form.ts'

const ID_EXAMPLE = '0190a000-1234-7abc-8def-0123456789ab'
const HYPHEN = '-'.charCodeAt(0)
const ID_DIGITS = new Set(Array.from('0123456789abcdef', digit => digit.charCodeAt(0)))
/** The kind of each character that an id may contain, by character code: 1 for a digit, 2 for a hyphen. */
const ID_CODES = Uint8Array.from({ length: 128 }, (_, code) => (code === HYPHEN ? 2 : Number(ID_DIGITS.has(code))))
const ID_SHAPE = Uint8Array.from(ID_EXAMPLE, character => (character === '-' ? 2 : 1))

/** Whether `text` is an id in lower case. A regular expression takes a fifth longer, and every request has an id. */
function isPlainId(text: string): boolean {
  if (text.length !== ID_SHAPE.length) return false
  for (let at = 0; at < ID_SHAPE.length; at++) if (ID_CODES[text.charCodeAt(at)] !== ID_SHAPE[at]) return false
  return true
}

/** A UUID in lower case. The `urn:uuid:` of RFC 9562 and the braces of PostgreSQL are refused. */
const idForm: NormalForm = {
  of(text) {
    if (isPlainId(text)) return text
    if (text.length !== ID_SHAPE.length) return undefined
    const lower = text.toLowerCase()
    return isPlainId(lower) ? lower : undefined
  },
  why: () => `must be a UUID such as ${ID_EXAMPLE}`,
}

/** RFC 3339 §5.6 without the leap second, which PostgreSQL does not store. */
const TIME =
  /^(\d{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/i
/** The range of years with four digits. */
const FIRST_TIME = Date.parse('0001-01-01T00:00:00.000Z')
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z')
const DAYS_OF_EVERY_MONTH = 28

/** Turns a time into UTC with milliseconds. RFC 3339 has offsets up to 23:59, PostgreSQL only up to 15:59. */
const timeForm: NormalForm = {
  of(text) {
    const date = TIME.exec(text)?.[1]
    if (date === undefined || !isDate(date)) return undefined
    if (isNormalTime(text)) return text
    const milliseconds = Date.parse(text)
    return milliseconds >= FIRST_TIME && milliseconds <= LAST_TIME ? new Date(milliseconds).toISOString() : undefined
  },
  why: () => 'must be a time of RFC 3339 from year 1 to 9999, such as 2026-01-31T12:00:00Z; in a URL + is %2B',
}

/** Whether the day exists: `Date.parse` accepts 31 days in every month and counts on into the next one. */
const isDate = (date: string): boolean =>
  Number(date.slice(-2)) <= DAYS_OF_EVERY_MONTH || new Date(date).getUTCDate() === Number(date.slice(-2))

/** Whether a time already has the normal form, by its length (three digits after the second) and its ends. */
const isNormalTime = (time: string): boolean =>
  time.length === '0001-01-01T00:00:00.000Z'.length && time[10] === 'T' && time.endsWith('Z') && time >= '0001'

/** The name of an IANA time zone, unchanged: ICU would turn `Asia/Kolkata` into its former name. */
export const timeZoneForm: NormalForm = {
  // A zone that does not begin with a letter is an offset.
  of: text =>
    /^[A-Za-z]/.test(text) && isTaken(() => Intl.DateTimeFormat('en', { timeZone: text })) ? text : undefined,
  why: () => 'must be a time zone of the IANA database, such as Europe/London',
}

/** A well-formed language tag (RFC 5646 §2.2.9), unchanged. */
export const localeForm: NormalForm = {
  of: text => (isTaken(() => Intl.getCanonicalLocales(text)) ? text : undefined),
  why: () => 'must be a language tag of BCP 47, such as en-GB',
}

function isTaken(work: () => unknown): boolean {
  try {
    work()
    return true
  } catch {
    return false
  }
}

/** A symbol, so that it never appears in the OpenAPI document. */
const FORM = Symbol('normal form')

/** Returns `schema` with a form for its text that JSON Schema cannot express. */
export const withForm = <T extends TSchema>(schema: T, form: NormalForm): T => ({ ...schema, [FORM]: form })

const BY_FORMAT: Record<string, NormalForm> = { uuid: idForm, 'date-time': timeForm, password: exactForm }

const texts = memoize()

/** Returns the form of the text that `schema` describes; undefined when its format or its enum is enough. */
export function formOf(schema: TSchema): NormalForm | undefined {
  const { [FORM]: own, format, enum: words } = schema as TSchema & { [FORM]?: NormalForm }
  if (own || words) return own
  if (format !== undefined) return BY_FORMAT[format]
  // A schema with a pattern already lists the allowed characters.
  if (schema.pattern !== undefined) return exactForm
  const { maxLength } = schema
  return texts(String(maxLength), () => textForm({ maxLength }))
}
