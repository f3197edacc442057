import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { headOf } from '../../../lib/head-of-text.ts'
import { readAnswers } from '../queries/answers.ts'
import { interruptExpired } from './settle.ts'

/** The interval of looking at answers that another process writes. */
const LOOK_MS = 250
/** Places of one statement; with the bounds of a chunk they bound its memory. */
const PLACES = 32
/** What is sent at once. Nothing more is kept for a reader: the next part is read when this one has left. */
const MAX_PART = 32_768

/** Follows one answer. */
export interface AnswerReader {
  readonly id: string
  /** The place up to which it has the text, in UTF-16 code units. */
  offset: number
  /** Whether everything that was sent has left this process. */
  readonly isReady: boolean
  /** Sends text; returns whether it was sent. */
  send(text: string): Promise<boolean>
  /** Sends how a settled answer ended; called when the reader has the whole text. */
  end(): Promise<void>
}

type Part = Awaited<ReturnType<typeof readAnswers>>[number]

/** Reads on for all readers of this process together, by one way for those that catch up and those that do not. */
export class AnswerFeed {
  readonly #app: FastifyInstance
  readonly #readers = new Set<AnswerReader>()
  readonly #busy = new Set<AnswerReader>()
  #isLooking = false

  constructor(app: FastifyInstance) {
    this.#app = app
  }

  /** Sends what follows the place of `reader`, until the returned function is called. */
  follow(reader: AnswerReader): () => void {
    this.#readers.add(reader)
    void this.#read([reader])
    if (!this.#isLooking) void this.#look()
    return () => void this.#readers.delete(reader)
  }

  /** Reads on for the readers of an answer that has just grown or ended. */
  wake(id: string): void {
    void this.#read([...this.#readers].filter(reader => reader.id === id))
  }

  async #look(): Promise<void> {
    this.#isLooking = true
    while (this.#readers.size > 0) {
      await sleep(LOOK_MS, undefined, { ref: false })
      await this.#read([...this.#readers])
    }
    this.#isLooking = false
  }

  async #read(readers: AnswerReader[]): Promise<void> {
    const ready = readers.filter(reader => !this.#busy.has(reader) && reader.isReady)
    for (const reader of ready) this.#busy.add(reader)
    try {
      for (let at = 0; at < ready.length; at += PLACES) await this.#readFor(ready.slice(at, at + PLACES))
    } catch (error) {
      this.#app.log.warn({ reason: (error as Error).message }, 'answers cannot be read, reading is repeated')
    } finally {
      for (const reader of ready) this.#busy.delete(reader)
    }
  }

  async #readFor(readers: AnswerReader[]): Promise<void> {
    const ids = readers.map(({ id }) => id)
    const parts = await readAnswers(this.#app.database, { ids, offsets: readers.map(({ offset }) => offset) })
    await Promise.all(parts.map(part => this.#give(readers[part.n - 1] as AnswerReader, part)))
  }

  async #give(reader: AnswerReader, { running, expired, start, text }: Part): Promise<void> {
    const fresh = text.slice(Math.max(0, reader.offset - start))
    if (fresh !== '') {
      const part = headOf(fresh, MAX_PART)
      if (await reader.send(part)) reader.offset += part.length
    } else if (expired) await this.#app.database.transaction(tx => interruptExpired(this.#app, tx, reader.id))
    else if (!running) await reader.end()
  }
}
