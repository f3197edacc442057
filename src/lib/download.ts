/** The characters of a `filename*` that need no escape (RFC 8187 §3.2.1). */
const ESCAPED = /[^A-Za-z0-9!#$&+.^_`|~-]/gu
const NOT_PLAIN = /[^\x20-\x7e]|["\\%/]/gu
/**
 * Characters that change how a name is read on a screen, or that no file system takes: controls, and those of
 * bidirectional text, by which `\u202egpj.exe` looks like `exe.jpg`.
 */
const UNSAFE = /[\p{Cc}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069/\\]/gu

const escaped = (text: string): string =>
  text.replace(ESCAPED, character =>
    Array.from(Buffer.from(character), byte => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  )

/** Returns the header that makes a browser save the file under a harmless form of its name (RFC 6266, RFC 8187). */
export function attachment(name: string): string {
  const safe = name.replace(UNSAFE, '_')
  return `attachment; filename="${safe.replace(NOT_PLAIN, '_')}"; filename*=UTF-8''${escaped(safe)}`
}

/** One range of RFC 9110 §14.1.2, with both ends, without the first, or without the last. */
const RANGE = /^bytes=(?:(\d{1,15})-(\d{0,15})|-(\d{1,15}))$/i

/**
 * Returns the bytes that a `Range` asks for; undefined for all of them, as for several ranges or another unit, which a
 * server may ignore (RFC 9110 §14.2); null when the file has none of them.
 */
export function rangeOf(header: string | undefined, size: number): { start: number; end: number } | null | undefined {
  const [, first, last, suffix] = RANGE.exec(header ?? '') ?? []
  if (suffix !== undefined) {
    const length = Math.min(Number(suffix), size)
    return length === 0 ? null : { start: size - length, end: size - 1 }
  }
  if (first === undefined || (last && Number(last) < Number(first))) return undefined
  const start = Number(first)
  return start >= size ? null : { start, end: last ? Math.min(Number(last), size - 1) : size - 1 }
}
