import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import type { TokenUsage } from '../../../lib/ai-provider.ts'
import { answerErrors } from '../../../lib/answer-errors.ts'
import { AppError } from '../../../lib/errors.ts'
import { chatErrors } from '../errors.ts'
import { listRunning, renewLeases } from '../queries/answers.ts'
import { findAnswerToWrite } from '../queries/messages.ts'
import { BEGUN, LEASE_MS, turnsBefore } from './asking.ts'
import type { AnswerFeed } from './feed.ts'
import { interruptOwn, type Outcome, SETTLED, settleOwn } from './settle.ts'
import { AnswerWriter } from './writer.ts'

/** The interval of looking for answers that were stopped on another node: well below the promised second. */
const LOOK_MS = 250
const RENEW_MS = LEASE_MS / 3
/** The most characters of one answer, whatever the provider counts as a token. */
const MAX_CHARACTERS = 200_000

/** What the provider has counted, also of an answer that fails afterwards. */
interface Counted {
  usage?: TokenUsage
}

/** The answers that this process writes. No timer runs while there are none. */
export class Answers {
  readonly #app: FastifyInstance
  readonly #feed: AnswerFeed
  readonly #running = new Map<string, { abort: AbortController; done: Promise<void> }>()
  #isLooking = false
  #isClosing = false
  #renewedAtMs = 0

  constructor(app: FastifyInstance, feed: AnswerFeed) {
    this.#app = app
    this.#feed = feed
    app.database.onCommitted(BEGUN, ids => {
      for (const id of ids) this.#begin(id)
    })
    app.database.onCommitted(SETTLED, ids => {
      for (const id of ids) this.#leave(id)
    })
    app.addHook('onClose', () => this.#close())
  }

  #begin(id: string): void {
    const abort = new AbortController()
    const done = this.#write(id, abort.signal).finally(() => this.#running.delete(id))
    this.#running.set(id, { abort, done })
    if (this.#isClosing) abort.abort()
    if (!this.#isLooking) void this.#look()
  }

  /** Ends the request for an answer that is settled, and tells its readers. */
  #leave(id: string): void {
    this.#running.get(id)?.abort.abort()
    this.#feed.wake(id)
  }

  async #close(): Promise<void> {
    this.#isClosing = true
    const running = [...this.#running.values()]
    for (const { abort } of running) abort.abort()
    await Promise.all(running.map(({ done }) => done))
  }

  /** Writes the answer and settles it. Never rejects: what cannot be settled now is settled when its lease runs out. */
  async #write(id: string, signal: AbortSignal): Promise<void> {
    const { log } = this.#app
    const counted: Counted = {}
    try {
      const outcome = await this.#answer(id, signal, counted).catch((error: unknown) => this.#failure(error, signal))
      if (outcome) await settleOwn(this.#app, id, { ...outcome, ...counted })
      else if (this.#isClosing) await interruptOwn(this.#app, id)
    } catch (error) {
      log.warn({ err: error, answer: id }, 'an answer cannot be settled, its lease will run out')
    }
  }

  /** Returns how the answer ended; undefined when it is not ours to say. */
  async #answer(id: string, signal: AbortSignal, counted: Counted): Promise<Outcome | undefined> {
    const { ai, database } = this.#app
    const answer = await findAnswerToWrite(database, { id })
    if (!answer) return undefined
    const turns = await turnsBefore(database, answer.chatId, id)
    const writer = new AnswerWriter(database, id, () => this.#feed.wake(id))
    try {
      for await (const part of ai.answer(turns, signal)) {
        if (typeof part !== 'string') counted.usage = part
        else if (!(await writer.add(part))) return undefined
        if (writer.length > MAX_CHARACTERS) throw answerErrors.answer_too_long()
      }
    } finally {
      await writer.end()
    }
    return { status: 'complete' }
  }

  #failure(error: unknown, signal: AbortSignal): Outcome | undefined {
    if (signal.aborted) return undefined
    if (!(error instanceof AppError)) this.#app.log.error({ err: error }, 'an answer failed')
    return { status: 'failed', failure: error instanceof AppError ? error : chatErrors.answer_failed() }
  }

  async #look(): Promise<void> {
    this.#isLooking = true
    while (this.#running.size > 0) {
      await sleep(LOOK_MS, undefined, { ref: false })
      await this.#findStopped().catch((error: Error) =>
        this.#app.log.warn({ reason: error.message }, 'running answers cannot be looked at, will repeat'),
      )
    }
    this.#isLooking = false
  }

  async #findStopped(): Promise<void> {
    const { database } = this.#app
    const ids = [...this.#running.keys()]
    const renews = performance.now() - this.#renewedAtMs >= RENEW_MS
    const left = renews
      ? await renewLeases(database.writes, { ids, leaseMs: LEASE_MS })
      : await listRunning(database, { ids })
    if (renews) this.#renewedAtMs = performance.now()
    const running = new Set(left.map(({ id }) => id))
    for (const id of ids) if (!running.has(id)) this.#leave(id)
  }
}
