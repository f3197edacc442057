export interface Sink {
  write(bytes: Buffer): unknown
  flushSync(): void
}

const BUFFER_BYTES = 65_536
/** A UTF-16 unit of a line takes at most three bytes of UTF-8. */
const GROWTH = 3
/** How long a line may stay in the buffer. */
const FLUSH_MS = 500

/**
 * Collects log lines as bytes and writes them in large pieces: measuring and writing each line separately is 13 % of a
 * read by id. Lines kept as strings would live long enough to move to V8's old generation.
 */
export class LogBuffer {
  readonly #sink: Sink
  readonly #bytes = Buffer.allocUnsafeSlow(BUFFER_BYTES)
  #length = 0

  constructor(sink: Sink) {
    this.#sink = sink
    setInterval(() => this.#flush(), FLUSH_MS).unref()
    process.on('exit', () => this.flushSync())
  }

  write(line: string): void {
    if (this.#length + GROWTH * line.length > BUFFER_BYTES) this.#flush()
    if (GROWTH * line.length > BUFFER_BYTES) this.#sink.write(Buffer.from(line))
    else this.#length += this.#bytes.write(line, this.#length)
  }

  flushSync(): void {
    this.#flush()
    this.#sink.flushSync()
  }

  #flush(): void {
    if (this.#length === 0) return
    this.#sink.write(Buffer.from(this.#bytes.subarray(0, this.#length)))
    this.#length = 0
  }
}
