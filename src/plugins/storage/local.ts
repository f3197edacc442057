import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { requestErrors } from '../../lib/errors.ts'
import type { Grants } from './grants.ts'
import type { Announced, ByteRange, Content, Grant, Storage } from './storage.ts'

/** Keys are ids that this service makes, so that no name of a caller becomes a path. */
const KEY = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
/** Where files are until they are complete: each write has one of its own, so that two of one key do not meet. */
const INCOMPLETE = 'incomplete'
/** Keys are spread over folders by their last characters, which are random. */
const FOLDER_CHARACTERS = 2
const FOLDERS = 16 ** FOLDER_CHARACTERS
/** A read of the default of 64 KiB costs nearly as much. */
const READ_BYTES = 262_144
/** One write at a time: many clients upload at once. */
const BUFFER_BYTES = 16_384

/** How signed URLs are made: they lead to a route of this service at `url`. */
interface Signed {
  grants: Grants
  url: string
}

/** Keeps each object as a file below a folder. A file has its name only when it is complete. */
export class LocalStorage implements Storage {
  readonly #folder: string
  readonly #signed: Signed

  constructor(folder: string, signed: Signed) {
    this.#folder = folder
    this.#signed = signed
  }

  /** Makes the folders, so that `write` finds them. */
  async prepare(): Promise<void> {
    const folders = Array.from({ length: FOLDERS }, (_, n) => n.toString(16).padStart(FOLDER_CHARACTERS, '0'))
    for (const folder of [INCOMPLETE, ...folders]) await mkdir(join(this.#folder, folder), { recursive: true })
  }

  async write(key: string, source: AsyncIterable<Buffer>): Promise<void> {
    const path = this.pathOf(key)
    const incomplete = join(this.#folder, INCOMPLETE, randomUUID())
    try {
      await pipeline(source, createWriteStream(incomplete, { flush: true, highWaterMark: BUFFER_BYTES }))
      await rename(incomplete, path)
    } catch (error) {
      await rm(incomplete, { force: true })
      throw error
    }
  }

  async read(key: string, range?: ByteRange): Promise<Readable> {
    const source = createReadStream(this.pathOf(key), { ...range, highWaterMark: READ_BYTES })
    try {
      await once(source, 'open')
      return source
    } catch (error) {
      throw (error as NodeJS.ErrnoException).code === 'ENOENT' ? requestErrors.not_found() : error
    }
  }

  async stat(key: string): Promise<{ sizeBytes: number } | undefined> {
    const found = await stat(this.pathOf(key)).catch(() => undefined)
    return found && { sizeBytes: found.size }
  }

  async remove(key: string): Promise<void> {
    await rm(this.pathOf(key), { force: true })
  }

  async *keysBefore(time: Date): AsyncGenerator<string> {
    for (const folder of await readdir(this.#folder).catch(() => [])) {
      const path = join(this.#folder, folder)
      for (const name of await readdir(path).catch(() => [])) {
        const found = await stat(join(path, name)).catch(() => undefined)
        if (!found || found.mtime >= time) continue
        if (folder === INCOMPLETE) await rm(join(path, name), { force: true })
        else if (KEY.test(name)) yield name
      }
    }
  }

  async downloadUrl({ key, name, type, sizeBytes, sha256 }: Content, expiresAt: Date): Promise<string> {
    const { grants, url } = this.#signed
    const claims = { method: 'GET', key, name, type, sizeBytes, sha256, expiresAt: expiresAt.toISOString() } as const
    return `${url}/${key}?grant=${grants.sign(claims)}`
  }

  async uploadGrant({ key, sizeBytes, sha256 }: Announced, expiresAt: Date): Promise<Grant> {
    const { grants, url } = this.#signed
    const claims = { method: 'PUT', key, sizeBytes, sha256, expiresAt: expiresAt.toISOString() } as const
    return { url: `${url}/${key}?grant=${grants.sign(claims)}`, headers: {} }
  }

  /** Where an object is, or will be. */
  pathOf(key: string): string {
    if (!KEY.test(key)) throw new Error('a key of the storage is an id')
    return join(this.#folder, key.slice(-FOLDER_CHARACTERS), key)
  }
}
