import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Log } from './log.ts'
import type { Servers } from './servers.ts'

const FIRST_RETRY_MS = 100
const LAST_RETRY_MS = 5_000

/**
 * One connection that receives `Transaction.notify`, reconnected with backoff. While the connection is lost no
 * notifications are kept: code that listens must also poll.
 */
export class Listener {
  readonly #options: pg.ClientConfig
  readonly #servers: Servers
  readonly #log: Log
  readonly #closing = new AbortController()
  readonly #wakes = new Map<string, (payload?: string) => void>()
  #client: pg.Client | undefined

  constructor(options: pg.ClientConfig, servers: Servers, log: Log) {
    this.#options = options
    this.#servers = servers
    this.#log = log
  }

  /**
   * Must be called before `open`. `wake` is also called after each connect, then without a payload, since notifications
   * may have been missed.
   */
  on(channel: string, wake: (payload?: string) => void): void {
    this.#wakes.set(channel, wake)
  }

  /** Connects in the background; a start does not wait for it. */
  open(): void {
    if (this.#wakes.size > 0) void this.#follow()
  }

  /** Closes the connection without waiting for the server. */
  close(): void {
    this.#closing.abort()
    this.#client?.end().catch(() => {})
  }

  async #follow(): Promise<void> {
    const { signal } = this.#closing
    let delayMs = FIRST_RETRY_MS
    const heard = () => {
      delayMs = FIRST_RETRY_MS
    }
    while (!signal.aborted) {
      const reason = await this.#hear(heard).catch((error: Error) => error.message)
      if (signal.aborted) return
      // Log once for each lost connection, not for each attempt.
      if (delayMs === FIRST_RETRY_MS) this.#log.warn({ reason }, 'notifications cannot be heard, will connect again')
      await sleep(delayMs, undefined, { signal }).catch(() => {})
      delayMs = Math.min(delayMs * 2, LAST_RETRY_MS)
    }
  }

  /** Resolves when the connection ends, with the reason. */
  async #hear(heard: () => void): Promise<string> {
    const client = new pg.Client(this.#options)
    this.#client = client
    const ended = new Promise<string>(resolve => {
      client.on('error', ({ message }) => resolve(message))
      client.on('end', () => resolve('ended'))
    })
    client.on('notification', ({ channel, payload }) => this.#wakes.get(channel)?.(payload ?? ''))
    try {
      await this.#servers.connect(client, () => client.connect())
      await client.query([...this.#wakes.keys()].map(channel => `listen ${client.escapeIdentifier(channel)}`).join(';'))
      heard()
      for (const wake of this.#wakes.values()) wake()
      return await ended
    } finally {
      client.end().catch(() => {})
    }
  }
}
