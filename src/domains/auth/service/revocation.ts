import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { REVOCATION_SECONDS } from '../../../lib/access.ts'
import { listEndedSessions } from '../queries/sessions.ts'

const TOPIC = 'sessions.ended'
/**
 * The interval of polling. With the query it stays well below the promised second, also when no notification arrives.
 */
const POLL_MS = 400
/** The least time between two queries, so that ending many sessions does not keep every node querying. */
const PAUSE_MS = 50
/**
 * Each query overlaps the one before by more than the longest transaction: one that began before the last query may
 * have committed after it.
 */
const OVERLAP_SECONDS = 60

/** Makes this process refuse the sessions once `tx` has committed, and notifies the other processes. */
export async function announceEnded(tx: Transaction, sessions: { id: string }[]): Promise<void> {
  tx.announce(
    TOPIC,
    sessions.map(({ id }) => id),
  )
  await tx.notify(TOPIC)
}

/** Tells this process which sessions end, here and on other nodes, by notification and by polling. */
class RevocationFeed {
  readonly #app: FastifyInstance
  readonly #stopping = new AbortController()
  #lookedAtMs: number | undefined
  #failing = false
  #waiting = new AbortController()
  #running: Promise<void> | undefined

  constructor(app: FastifyInstance) {
    this.#app = app
    app.database.onCommitted(TOPIC, ids => app.revocations.add(ids))
    app.database.listener.on(TOPIC, () => this.#waiting.abort())
  }

  /** Resolves after the first query. */
  async start(): Promise<void> {
    await this.#look()
    this.#running = this.#follow()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#waiting.abort()
    await this.#running
  }

  async #follow(): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await sleep(PAUSE_MS, undefined, { signal, ref: false }).catch(() => {})
      await sleep(POLL_MS - PAUSE_MS, undefined, { signal: this.#waiting.signal, ref: false }).catch(() => {})
      // A notification from here on starts another query after this one.
      this.#waiting = new AbortController()
      if (!signal.aborted) await this.#look()
    }
  }

  /**
   * Reads the sessions that have ended since the last successful query, however long ago that was, so an outage leaves
   * no gap.
   */
  async #look(): Promise<void> {
    const { database, revocations, log } = this.#app
    const nowMs = performance.now()
    const elapsedSeconds = this.#lookedAtMs === undefined ? Infinity : (nowMs - this.#lookedAtMs) / 1000
    const withinSeconds = Math.min(elapsedSeconds + OVERLAP_SECONDS, REVOCATION_SECONDS)
    try {
      const ended = await listEndedSessions(database, { withinSeconds })
      revocations.add(ended.map(({ id }) => id))
      this.#lookedAtMs = nowMs
      if (this.#failing) log.info('ended sessions can be read again')
      this.#failing = false
    } catch (error) {
      if (!this.#failing) log.warn({ reason: (error as Error).message }, 'ended sessions cannot be read, will repeat')
      this.#failing = true
    }
  }
}

/** Follows revocations until the app closes. The app is ready only after the first query. */
export function followRevocations(app: FastifyInstance): void {
  const feed = new RevocationFeed(app)
  app.addHook('onReady', () => feed.start())
  app.addHook('onClose', () => feed.stop())
}
