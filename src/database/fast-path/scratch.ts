import { isoText } from '../parsers.ts'

const FIRST_BYTES = 65_536
/** A page of long texts may need a larger buffer; such a buffer is not kept for reuse. */
const KEPT_BYTES = 262_144
const ASCII = 0x80
/** The length of `2026-01-31 12:00:00`. */
const SECONDS = 19
const MILLISECONDS = 3
const byteOf = (character: string): number => character.charCodeAt(0)
const DASH = byteOf('-')
const PLUS = byteOf('+')
const POINT = byteOf('.')
const ZERO = byteOf('0')
const T = byteOf('T')
const Z = byteOf('Z')

/** 1 for bytes that appear unchanged in JSON text: no control character, quote or backslash. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) => Number(byte >= 0x20 && byte !== 0x22 && byte !== 0x5c))

/** A reusable buffer in which JSON is assembled and then read as one string, which is the only garbage. */
export class Scratch {
  static readonly #free: Scratch[] = []

  bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  length = 0
  /** The bitwise OR of all bytes that may be outside ASCII. */
  #bits = 0

  /**
   * Returns a free or new scratch that begins with `text` (ASCII). One on which `end()` is never called is garbage
   * collected.
   */
  static take(text: string): Scratch {
    const scratch = Scratch.#free.pop() ?? new Scratch()
    scratch.append(text)
    return scratch
  }

  /** Makes room for `bytes` more. */
  reserve(bytes: number): void {
    const needed = this.length + bytes
    if (needed <= this.bytes.length) return
    const larger = Buffer.allocUnsafeSlow(2 * needed)
    this.bytes.copy(larger, 0, 0, this.length)
    this.bytes = larger
  }

  /** Appends ASCII text. */
  append(text: string): void {
    this.reserve(text.length)
    this.length += this.bytes.write(text, this.length, 'latin1')
  }

  /** Copies `length` bytes of ASCII to position `to`; returns the position after them. */
  copy(to: number, from: Buffer, start: number, length: number): number {
    const { bytes } = this
    for (let n = 0; n < length; n++) bytes[to + n] = from[start + n] as number
    return to + length
  }

  /** Copies the content of a JSON string, escaped where necessary; returns the position after it. */
  copyText(to: number, from: Buffer, start: number, length: number): number {
    const { bytes } = this
    let bits = 0
    let plain = 1
    for (let n = 0; n < length; n++) {
      const byte = from[start + n] as number
      bytes[to + n] = byte
      bits |= byte
      plain &= PLAIN[byte] as number
    }
    this.#bits |= bits
    if (plain === 1) return to + length
    return this.write(to, JSON.stringify(from.toString('utf8', start, start + length)).slice(1, -1))
  }

  /** Copies a time from PostgreSQL's text (UTC) as ISO 8601 with milliseconds; returns the position after it. */
  copyTime(to: number, from: Buffer, start: number, length: number): number {
    const { bytes } = this
    const fraction = start + SECONDS + 1
    const zone = start + length - '+00'.length
    if (from[start + 'yyyy'.length] !== DASH || from[zone] !== PLUS || zone - fraction > MILLISECONDS)
      return this.write(to, isoText(from.toString('latin1', start, start + length)))
    this.copy(to, from, start, SECONDS)
    bytes[to + 'yyyy-mm-dd'.length] = T
    bytes[to + SECONDS] = POINT
    const point = to + SECONDS + 1
    for (let n = 0; n < MILLISECONDS; n++)
      bytes[point + n] = fraction + n < zone ? (from[fraction + n] as number) : ZERO
    bytes[point + MILLISECONDS] = Z
    return point + MILLISECONDS + 1
  }

  /**
   * Writes JSON text that needs no further escaping; returns the position after it. Throws `RangeError` when no room
   * was reserved.
   */
  write(to: number, json: string): number {
    this.#bits |= ASCII
    const written = this.bytes.write(json, to)
    if (to + written === this.bytes.length) throw new RangeError('no room was reserved')
    return to + written
  }

  /** Returns the assembled text and releases the scratch for reuse. */
  end(): string {
    const text =
      this.#bits < ASCII ? this.bytes.toString('latin1', 0, this.length) : this.bytes.toString('utf8', 0, this.length)
    this.length = 0
    this.#bits = 0
    if (this.bytes.length <= KEPT_BYTES) Scratch.#free.push(this)
    return text
  }
}
