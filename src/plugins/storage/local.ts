import type { Dirent } from 'node:fs'
import { createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { ByteRange, Storage } from './storage.ts'

/** Keys are ids that this service makes, so that no name of a caller becomes a path. */
const KEY = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const PARTIAL = '.part'
/** Keys are spread over folders by their last characters, which are random: at most 256 folders. */
const FOLDER_CHARACTERS = 2

/** Keeps each object as a file below a folder. A file has its name only when it is complete. */
export class LocalStorage implements Storage {
  readonly #folder: string

  constructor(folder: string) {
    this.#folder = folder
  }

  async write(key: string, source: AsyncIterable<Buffer>): Promise<void> {
    const path = this.#pathOf(key)
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
    return (await open(this.#pathOf(key))).createReadStream(range ?? {})
  }

  async remove(key: string): Promise<void> {
    const path = this.#pathOf(key)
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

  #pathOf(key: string): string {
    if (!KEY.test(key)) throw new Error('a key of the storage is an id')
    return join(this.#folder, key.slice(-FOLDER_CHARACTERS), key)
  }
}

const entriesOf = (folder: string): Promise<Dirent[]> => readdir(folder, { withFileTypes: true }).catch(() => [])
