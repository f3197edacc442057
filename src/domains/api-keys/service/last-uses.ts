import { setTimeout as sleep } from 'node:timers/promises'
import type { Executor } from '../../../database/executor.ts'
import type { Log } from '../../../database/log.ts'
import { markUsed } from '../queries.ts'

/** How long uses are collected before they are written together. */
const GATHER_MS = 1_000
const MINUTE_MS = 60_000

/** Writes when keys were last used, in the background: at most one statement a second, and each key once a minute. */
export class LastUses {
  readonly #on: Executor
  readonly #log: Log
  readonly #closing = new AbortController()
  /** When the use of each key was last queued; entries are kept for a minute. */
  readonly #noted = new Map<string, number>()
  #waiting: string[] = []
  #writing: Promise<void> | null = null

  constructor(on: Executor, log: Log) {
    this.#on = on
    this.#log = log
  }

  note(id: string): void {
    const now = Date.now()
    if (now - (this.#noted.get(id) ?? 0) < MINUTE_MS) return
    this.#noted.set(id, now)
    this.#waiting.push(id)
    this.#writing ??= this.#gather()
  }

  /** Resolves when all queued uses have been written. */
  async close(): Promise<void> {
    this.#closing.abort()
    await this.#writing
  }

  async #gather(): Promise<void> {
    while (this.#waiting.length > 0) {
      await sleep(GATHER_MS, undefined, { signal: this.#closing.signal, ref: false }).catch(() => {})
      for (const [id, at] of this.#noted) if (Date.now() - at >= MINUTE_MS) this.#noted.delete(id)
      await this.#write(this.#waiting.splice(0))
    }
    this.#writing = null
  }

  async #write(ids: string[]): Promise<void> {
    try {
      await markUsed(this.#on, { ids })
    } catch (error) {
      this.#log.warn({ err: error }, 'last use of API keys not written')
    }
  }
}
