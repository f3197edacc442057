import { setTimeout as sleep } from 'node:timers/promises'
import type { Database } from '../../../database/client.ts'
import { isUnavailable } from '../../../lib/errors.ts'
import { headOf } from '../../../lib/head-of-text.ts'
import { insertChunk, MAX_CHUNK } from '../queries/answers.ts'
import { LEASE_MS } from './asking.ts'

/** The least time between two chunks: at 50 tokens a second, five tokens share a row. */
const PAUSE_MS = 100
/** A provider that is faster than the database waits at this many characters. */
const MAX_WAITING = 65_536
const REPEAT_MS = 250

/** Stores the text of an answer as it grows: at once while nothing is under way, gathered otherwise. */
export class AnswerWriter {
  readonly #database: Database
  readonly #id: string
  readonly #onStored: () => void
  #waiting = ''
  #stored = 0
  #writing: Promise<void> | undefined
  #isOver = false
  #error: unknown

  /** `onStored` is called after each chunk. */
  constructor(database: Database, id: string, onStored: () => void) {
    this.#database = database
    this.#id = id
    this.#onStored = onStored
  }

  /** Characters so far, stored or waiting. */
  get length(): number {
    return this.#stored + this.#waiting.length
  }

  /** Takes text; resolves when there is room for more. Returns whether the answer is still running. Throws what storing threw. */
  async add(text: string): Promise<boolean> {
    // PostgreSQL keeps no NUL in a text.
    this.#waiting += text.replaceAll('\0', '')
    this.#writing ??= this.#write()
    if (this.#waiting.length > MAX_WAITING) await this.#writing
    return this.#goesOn()
  }

  /** Resolves when everything is stored. Returns and throws as `add`. */
  async end(): Promise<boolean> {
    this.#waiting = this.#waiting.toWellFormed()
    this.#writing ??= this.#write()
    await this.#writing
    return this.#goesOn()
  }

  #goesOn(): boolean {
    if (this.#error !== undefined) throw this.#error
    return !this.#isOver
  }

  async #write(): Promise<void> {
    try {
      for (let text = this.#next(); text !== '' && !this.#isOver; text = this.#next()) {
        await this.#store(text)
        await sleep(PAUSE_MS)
      }
    } catch (error) {
      this.#error = error
    } finally {
      this.#writing = undefined
    }
  }

  /** Returns the next chunk. Half a character waits for its other half, which the next token may bring. */
  #next(): string {
    return headOf(this.#waiting, MAX_CHUNK)
  }

  async #store(text: string): Promise<void> {
    const start = this.#stored
    const chunk = { messageId: this.#id, start, finish: start + text.length, text }
    const running = await this.#insist(() => insertChunk(this.#database.writes, chunk))
    this.#waiting = this.#waiting.slice(text.length)
    this.#stored += text.length
    if (!running?.running) this.#isOver = true
    this.#onStored()
  }

  /** Repeats while the database is away, as long as the lease may still be ours. */
  async #insist<T>(store: () => Promise<T>): Promise<T> {
    const end = performance.now() + LEASE_MS
    for (;;) {
      try {
        return await store()
      } catch (error) {
        if (!isUnavailable(error) || performance.now() > end) throw error
        await sleep(REPEAT_MS)
      }
    }
  }
}
