import type { Readable } from 'node:stream'

/** The first and the last byte, both included. */
export interface ByteRange {
  start: number
  end: number
}

/** Where the bytes of files are. A key is an id; nothing a caller says is part of it. */
export interface Storage {
  /** Stores all bytes of `source` or, when it fails, none. */
  write(key: string, source: AsyncIterable<Buffer>): Promise<void>
  /** Throws when there is no such object. */
  read(key: string, range?: ByteRange): Promise<Readable>
  /** Does nothing when there is no such object. */
  remove(key: string): Promise<void>
  /** The keys of all objects that were last written before `time`, also of incomplete ones. */
  keysBefore(time: Date): AsyncIterable<string>
}
