import type { Dirent } from 'node:fs'
import { createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { requestErrors } from '../../lib/errors.ts'
import type { Grants } from './grants.ts'
import type { ByteRange, Content, Storage } from './storage.ts'

/** Keys are ids that this service makes, so that no name of a caller becomes a path. */
const KEY = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const PARTIAL = '.part'
/** Keys are spread over folders by their last characters, which are random: at most 256 folders. */
const FOLDER_CHARACTERS = 2

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

  async write(key: string, source: AsyncIterable<Buffer>): Promise<void> {
    const path = this.pathOf(key)
    await mkdir(dirname(path), { recursive: true })
    try {
      await pipeline(source, createWriteStream(`${path}${PARTIAL}`, { flush: true }))
      await rename(`${path}${PARTIAL}`, path)
    } catch (error) {
      await rm(`${path}${PARTIAL}`, { force: true })
      throw error
    }
  }

  async read(key: string, range?: ByteRange): Promise<Readable> {
    const file = await open(this.pathOf(key)).catch(error => {
      throw error.code === 'ENOENT' ? requestErrors.not_found() : error
    })
    return file.createReadStream(range ?? {})
  }

  async remove(key: string): Promise<void> {
    const path = this.pathOf(key)
    await Promise.all([path, `${path}${PARTIAL}`].map(file => rm(file, { force: true })))
  }

  async *keysBefore(time: Date): AsyncGenerator<string> {
    for (const folder of await entriesOf(this.#folder))
      for (const { name } of await entriesOf(join(this.#folder, folder.name))) {
        const key = name.replace(PARTIAL, '')
        const found = await stat(join(this.#folder, folder.name, name)).catch(() => undefined)
        if (KEY.test(key) && found && found.mtime < time) yield key
      }
  }

  async downloadUrl({ key, name, type, sizeBytes, sha256 }: Content, expiresAt: Date): Promise<string> {
    const { grants, url } = this.#signed
    const grant = { method: 'GET', key, name, type, sizeBytes, sha256, expiresAt: expiresAt.toISOString() } as const
    return `${url}/${key}?grant=${grants.sign(grant)}`
  }

  /** Where an object is, or will be. */
  pathOf(key: string): string {
    if (!KEY.test(key)) throw new Error('a key of the storage is an id')
    return join(this.#folder, key.slice(-FOLDER_CHARACTERS), key)
  }
}

const entriesOf = (folder: string): Promise<Dirent[]> => readdir(folder, { withFileTypes: true }).catch(() => [])
