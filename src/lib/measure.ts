import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { fileTypeFromBuffer } from 'file-type'

/** The library needs no more to tell a type (file-type's own sample size). */
export const HEAD_BYTES = 4100
/** A character of UTF-8 that the end of the head cuts off has at most this many bytes there. */
const CUT_BYTES = 3

export interface Measured {
  sizeBytes: number
  /** In hex. */
  sha256: string
  /** The media type that the bytes tell. */
  type: string
}

/** Tells the size, checksum and type of bytes that are added chunk by chunk. */
export class Measure {
  sizeBytes = 0
  readonly #hash = createHash('sha256')
  /** Not of the pool of small buffers: one of those keeps all others of its 64 KiB. */
  readonly #head = Buffer.allocUnsafeSlow(HEAD_BYTES)

  add(chunk: Buffer): void {
    if (this.sizeBytes < HEAD_BYTES) chunk.copy(this.#head, this.sizeBytes)
    this.sizeBytes += chunk.length
    this.#hash.update(chunk)
  }

  /** Must be called only once. */
  async result(): Promise<Measured> {
    return {
      sizeBytes: this.sizeBytes,
      sha256: this.#hash.digest('hex'),
      type: await typeOf(this.#head.subarray(0, this.sizeBytes)),
    }
  }
}

/** Tells the media type by the first bytes. HTML, SVG and scripts have no signature: they are text, which no browser runs. */
export async function typeOf(head: Buffer): Promise<string> {
  const found = await fileTypeFromBuffer(head)
  if (found && !/xml|html|svg/.test(found.mime)) return found.mime
  return isText(head) ? 'text/plain' : 'application/octet-stream'
}

function isText(head: Buffer): boolean {
  if (head.includes(0)) return false
  const cuts = head.length < HEAD_BYTES ? [0] : Array.from({ length: CUT_BYTES + 1 }, (_, cut) => cut)
  return cuts.some(cut => isUtf8(head.subarray(0, head.length - cut)))
}
