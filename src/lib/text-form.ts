/** The one form in which a text is kept: handlers, cursors and columns never meet another. */
export interface NormalForm {
  /** Undefined where `text` has none. */
  of(text: string): string | undefined
  /** Why it has none, to be read after the name of the field. */
  why(text: string): string
}

/** Text without any of it is composed (NFC_Quick_Check is Yes below U+0300) and holds no half of a surrogate pair. */
const UNUSUAL = /[\u0300-\uffff]/
const NUL = '\u0000'
/** As UAX #15 §13 bounds them (stream-safe text): to sort 10,000 marks on one letter takes 100 ms. */
const TOO_MANY_MARKS = /\p{M}{31}/u
/** Unicode has no property for what leaves no ink; these are blank, and neither white space nor ignorable. */
const BLANK_SYMBOLS = String.raw`\u2800\u{1d159}\u{13441}\u{13442}\u{16fe4}`
const VISIBLE = new RegExp(
  String.raw`[^\p{White_Space}\p{Cc}\p{Cf}\p{Default_Ignorable_Code_Point}${BLANK_SYMBOLS}]`,
  'u',
)
/** One character of NFC is composed of at most 4 (ᾂ), and each of those is at most two units of UTF-16. */
const UNITS_PER_CHARACTER = 8

interface Rules {
  maxLength?: number
  /** Whether something of it has to be seen. */
  visible?: boolean
}

/** NFC, without what UTF-8 or PostgreSQL cannot hold. */
export function textForm({ maxLength = Number.POSITIVE_INFINITY, visible = false }: Rules): NormalForm {
  const units = maxLength * UNITS_PER_CHARACTER
  return {
    of(text) {
      // Composed it is too long all the same, and its length is checked next.
      if (text.length > units) return text
      const composed = UNUSUAL.test(text) ? compose(text) : text
      if (composed === undefined || composed.includes(NUL)) return undefined
      return visible && composed !== '' && !VISIBLE.test(composed) ? undefined : composed
    },
    why: text => faultOf(text) ?? 'must have a character that can be seen',
  }
}

/** Text that is taken as it is sent: a password, which is composed where it is hashed, or what was signed. */
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
