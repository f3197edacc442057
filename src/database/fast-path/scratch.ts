import { isoText } from '../parsers.ts'

const FIRST_BYTES = 65_536
/** A page of long texts may take more; what it took is not kept. */
const KEPT_BYTES = 262_144
const ASCII = 0x80
/** `2026-01-31 12:00:00` */
const SECONDS = 19
const MILLISECONDS = 3
const byteOf = (character: string): number => character.charCodeAt(0)
const DASH = byteOf('-')
const PLUS = byteOf('+')
const POINT = byteOf('.')
const ZERO = byteOf('0')
const T = byteOf('T')
const Z = byteOf('Z')

/** Bytes that stand in JSON text as they are: no control character, quote or backslash. */
const PLAIN = Uint8Array.from({ length: 256 }, (_, byte) => Number(byte >= 0x20 && byte !== 0x22 && byte !== 0x5c))

/** Bytes in which JSON is put together, and taken as one string: nothing is left for the collector but that string. */
export class Scratch {
  static readonly #free: Scratch[] = []

  bytes = Buffer.allocUnsafeSlow(FIRST_BYTES)
  length = 0
  /** Every bit that any byte had which may be beyond ASCII. */
  #bits = 0

  /** One that begins with `text`, which is ASCII. What is not brought to its end is left to the collector. */
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

  /** Adds text that is ASCII. */
  append(text: string): void {
    this.reserve(text.length)
    this.length += this.bytes.write(text, this.length, 'latin1')
  }

  /** Copies `length` bytes of ASCII to `to`; returns where they end. */
  copy(to: number, from: Buffer, start: number, length: number): number {
    const { bytes } = this
    for (let n = 0; n < length; n++) bytes[to + n] = from[start + n] as number
    return to + length
  }

  /** Copies what stands between the quotes of a JSON string, escaped where it has to be. */
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

  /** Copies a time as PostgreSQL prints it in UTC, as ISO 8601 with milliseconds. */
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

  /** Text that needs no further escape. */
  write(to: number, json: string): number {
    this.#bits |= ASCII
    const written = this.bytes.write(json, to)
    if (to + written === this.bytes.length) throw new RangeError('no room was reserved')
    return to + written
  }

  /** What was put together; the scratch is free again. */
  end(): string {
    const text =
      this.#bits < ASCII ? this.bytes.toString('latin1', 0, this.length) : this.bytes.toString('utf8', 0, this.length)
    this.length = 0
    this.#bits = 0
    if (this.bytes.length <= KEPT_BYTES) Scratch.#free.push(this)
    return text
  }
}
