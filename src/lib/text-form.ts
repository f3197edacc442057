/** The one form in which a text is stored: handlers, cursors and columns get no other. */
export interface NormalForm {
  /** Returns the normal form of `text`; undefined when it has none. */
  of(text: string): string | undefined
  /** Returns why it has none, to be read after the name of the field. */
  why(text: string): string
}

/**
 * Text without these characters is already composed (NFC_Quick_Check is Yes below U+0300) and has no lone surrogate.
 */
const UNUSUAL = /[\u0300-\uffff]/
const NUL = '\u0000'
/** The limit of UAX #15 §13 (stream-safe text): sorting 10,000 marks on one letter takes 100 ms. */
const TOO_MANY_MARKS = /\p{M}{31}/u
/** These symbols are blank, but neither white space nor ignorable; Unicode has no property for that. */
const BLANK_SYMBOLS = String.raw`\u2800\u{1d159}\u{13441}\u{13442}\u{16fe4}`
const VISIBLE = new RegExp(
  String.raw`[^\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}${BLANK_SYMBOLS}]`,
  'u',
)
/** One NFC character decomposes into at most 4 (ᾂ), and each of those takes at most two UTF-16 units. */
const UNITS_PER_CHARACTER = 8

interface Rules {
  maxLength?: number
  /** Whether it must contain a visible character. */
  visible?: boolean
}

/** Returns NFC; refuses what UTF-8 or PostgreSQL cannot store. */
export function textForm({ maxLength = Number.POSITIVE_INFINITY, visible = false }: Rules): NormalForm {
  const units = maxLength * UNITS_PER_CHARACTER
  return {
    of(text) {
      // Text of this length stays too long after composition, and its length is checked next.
      if (text.length > units) return text
      const composed = UNUSUAL.test(text) ? compose(text) : text
      if (composed === undefined || composed.includes(NUL)) return undefined
      return visible && composed !== '' && !VISIBLE.test(composed) ? undefined : composed
    },
    why: text => faultOf(text) ?? 'must have a character that can be seen',
  }
}

/** Text that is kept as sent: a password, which is composed before hashing, or a signed message. */
export const exactForm: NormalForm = {
  of: text => (text.includes(NUL) || !text.isWellFormed() ? undefined : text),
  why: text => faultOf(text) ?? 'must be text',
}

const compose = (text: string): string | undefined =>
  !text.isWellFormed() || TOO_MANY_MARKS.test(text) ? undefined : text.normalize('NFC')

function faultOf(text: string): string | undefined {
  if (text.includes(NUL)) return 'must not hold the character NUL'
  if (!text.isWellFormed()) return 'must not hold half of a surrogate pair'
  return TOO_MANY_MARKS.test(text) ? 'must not have more than 30 combining marks in a row' : undefined
}
