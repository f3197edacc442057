import type { Readable } from 'node:stream'

/** The first and the last byte, both included. */
export interface ByteRange {
  start: number
  end: number
}

/** An object and what a download says about it. */
export interface Content {
  key: string
  /** The name under which it is saved; it may hold any character. */
  name: string
  type: string
  sizeBytes: number
  /** In hex. */
  sha256: string
}

/** Where the bytes of files are. A key is an id; nothing a caller says is part of it. */
export interface Storage {
  /** Stores all bytes of `source` or, when it fails, none. */
  write(key: string, source: AsyncIterable<Buffer>): Promise<void>
  /** Throws `not_found`. */
  read(key: string, range?: ByteRange): Promise<Readable>
  /** Does nothing when there is no such object. */
  remove(key: string): Promise<void>
  /** The keys of all objects that were last written before `time`, also of incomplete ones. */
  keysBefore(time: Date): AsyncIterable<string>
  /** Returns a URL by which whoever has it downloads the object until `expiresAt`, and nothing else. */
  downloadUrl(content: Content, expiresAt: Date): Promise<string>
}
