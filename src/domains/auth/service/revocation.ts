import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { REVOCATION_SECONDS } from '../../../lib/access.ts'
import { listEndedSessions } from '../queries/sessions.ts'

const TOPIC = 'sessions.ended'
/** With the look itself well below the second that is promised, whether or not anybody is woken. */
const POLL_MS = 400
/** Between two looks, however many sessions end: who signs everybody out does not keep every node looking. */
const PAUSE_MS = 50
/** Longer than any transaction lives: one that began before the last look may have committed after it. */
const OVERLAP_SECONDS = 60

/** Makes this process refuse the sessions as soon as `tx` has committed, and wakes the others. */
export async function announceEnded(tx: Transaction, sessions: { id: string }[]): Promise<void> {
  tx.announce(
    TOPIC,
    sessions.map(({ id }) => id),
  )
  await tx.notify(TOPIC)
}

/** Keeps this process informed of the sessions that end, here and on every other node: woken when one does, and by itself. */
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

  /** Resolves after the first look. */
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
      // Who wakes it from here on is heard after this look.
      this.#waiting = new AbortController()
      if (!signal.aborted) await this.#look()
    }
  }

  /** Reads on from the last look that succeeded, however long ago: an outage leaves no gap. */
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

/** From the start of the process to its end; it is ready only after the first look. */
export function followRevocations(app: FastifyInstance): void {
  const feed = new RevocationFeed(app)
  app.addHook('onReady', () => feed.start())
  app.addHook('onClose', () => feed.stop())
}
