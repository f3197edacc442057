import type { Socket } from 'node:net'
import pg from 'pg'
import * as parser from 'pg-protocol/dist/parser.js'

const DATA_ROW = 'D'.charCodeAt(0)
/** Sizes in the wire protocol: the number of fields of a row, and the length before each value. */
export const COUNT_BYTES = 2
export const LENGTH_BYTES = 4
/** The length that stands for null. */
export const NULL = -1
const ZERO = '0'.charCodeAt(0)

/** Members of the driver's parser that its published types lack; it is pinned together with the driver. */
const { Parser } = parser as unknown as {
  Parser: new () => {
    parse(bytes: Buffer, done: (message: { name: string }) => void): void
    handlePacket(offset: number, code: number, length: number, bytes: Buffer): { name: string }
  }
}

/** A row as received: its place in the received bytes. It is readable only until the next message. */
export class WireRow {
  readonly name = 'dataRow'
  length = 0
  bytes: Buffer = Buffer.alloc(0)
  /** Offset of the number of fields; a length and a value for each field follow. */
  start = 0
  end = 0

  isNull(column: number): boolean {
    let at = this.start + COUNT_BYTES
    for (let before = 0; before < column; before++) at += LENGTH_BYTES + Math.max(0, this.bytes.readInt32BE(at))
    return this.bytes.readInt32BE(at) === NULL
  }

  /** The first value, which must be an integer in digits. */
  get number(): number {
    const first = this.start + COUNT_BYTES + LENGTH_BYTES
    const end = first + this.bytes.readInt32BE(first - LENGTH_BYTES)
    let number = 0
    for (let at = first; at < end; at++) number = number * 10 + (this.bytes[at] as number) - ZERO
    return number
  }

  /** All values as text, for the driver's own queries. */
  get fields(): (string | null)[] {
    let at = this.start + COUNT_BYTES
    return Array.from({ length: this.bytes.readInt16BE(this.start) }, () => {
      const length = this.bytes.readInt32BE(at)
      at += LENGTH_BYTES
      if (length === NULL) return null
      at += length
      return this.bytes.toString('utf8', at - length, at)
    })
  }
}

/**
 * Returns rows as `WireRow`. The driver's parser makes a string of each value of each row, used or not, which is a
 * tenth of the cost of a list.
 */
class RowParser extends Parser {
  readonly #row = new WireRow()

  override handlePacket(offset: number, code: number, length: number, bytes: Buffer): { name: string } {
    if (code !== DATA_ROW) return super.handlePacket(offset, code, length, bytes)
    const row = this.#row
    row.length = length
    row.bytes = bytes
    row.start = offset
    row.end = offset + length - LENGTH_BYTES
    return row
  }
}

/** The driver's `attachListeners`, but with our parser. */
function attachListeners(this: WireConnection, stream: NodeJS.ReadableStream): void {
  const parser = new RowParser()
  stream.on('data', (bytes: Buffer) =>
    parser.parse(bytes, message => this.emit(message.name === 'error' ? 'errorMessage' : message.name, message)),
  )
}
interface WireConnection extends pg.Connection {
  readonly stream: Socket
  attachListeners(stream: NodeJS.ReadableStream): void
}

/** The driver's client, but it passes rows to queries as received bytes. */
export class WireClient extends pg.Client {
  constructor(options: pg.ClientConfig = {}) {
    super(options)
    const { connection } = this as unknown as { connection: WireConnection }
    connection.attachListeners = attachListeners
  }

  /** Closes the connection at once: queries in flight are rejected, and the server is not waited for. */
  destroy(): void {
    const { connection } = this as unknown as { connection: WireConnection }
    connection.stream.destroy()
  }
}
