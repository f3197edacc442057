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

/** What was announced of an object before its bytes are uploaded. */
export type Announced = Pick<Content, 'key' | 'sizeBytes' | 'sha256'>

/** How a client uploads bytes to the storage itself. */
export interface Grant {
  url: string
  /** What the request must have besides its `Content-Length`. */
  headers: Record<string, string>
}

/** Where the bytes of files are. A key is an id; nothing a caller says is part of it. */
export interface Storage {
  /** Stores all bytes of `source` or, when it fails, none. Begins to read before it returns. */
  write(key: string, source: AsyncIterable<Buffer>): Promise<void>
  /** Throws `not_found`. */
  read(key: string, range?: ByteRange): Promise<Readable>
  /** Does nothing when there is no such object. */
  remove(key: string): Promise<void>
  /** What is known of an object without reading it; undefined when there is none. */
  stat(key: string): Promise<{ sizeBytes: number } | undefined>
  /** The keys of all objects that were last written before `time`. Removes incomplete ones as old. */
  keysBefore(time: Date): AsyncIterable<string>
  /** Returns a URL by which whoever has it downloads the object until `expiresAt`, and nothing else. */
  downloadUrl(content: Content, expiresAt: Date): Promise<string>
  /** Returns how whoever has it uploads these bytes, and no others, until `expiresAt`. */
  uploadGrant(announced: Announced, expiresAt: Date): Promise<Grant>
}
