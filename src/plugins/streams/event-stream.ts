import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isUnavailable } from '../../lib/errors.ts'

/** Below what balancers and proxies take for a dead connection: the common ones wait 30 s or more. */
const HEARTBEAT_MS = 15_000
/** A reader that has not taken what it was sent by then is cut off. It resumes where it was; nothing is kept for it. */
const STALL_MS = 8_000
/** When a client whose stream has ended comes back; spread, or all of a stopped process would come at once. */
const RETRY_MS = { least: 1_000, spread: 4_000 }

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  // Once it ends nobody need wait with the connection, least of all a process that stops.
  connection: 'close',
  'x-accel-buffering': 'no',
}

/** A long answer of server-sent events (WHATWG HTML §9.2) to a caller who is let in time and again. */
export class EventStream {
  /** What the handler returns. */
  readonly body = new Readable({ read() {} })
  readonly principalId: string | undefined
  readonly #app: FastifyInstance
  readonly #request: FastifyRequest
  readonly #reply: FastifyReply
  #isOpen = true
  #sentAtMs = performance.now()
  #takenAtMs = performance.now()

  constructor(app: FastifyInstance, request: FastifyRequest, reply: FastifyReply) {
    this.#app = app
    this.#request = request
    this.#reply = reply.headers(HEADERS)
    this.principalId = request.actor?.id
    this.onClose(() => {
      this.#isOpen = false
      // The library tells only of answers that came to their end, and it is the client who ends most streams.
      if (!reply.raw.writableEnded) app.observe(request, reply)
    })
    this.send(`retry: ${RETRY_MS.least + Math.floor(Math.random() * RETRY_MS.spread)}\n\n`)
  }

  /** Whether all that was sent has been taken. Who sends only then keeps no more than that for a slow reader. */
  get isReady(): boolean {
    return this.#isOpen && this.body.readableLength === 0 && this.#reply.raw.writableLength === 0
  }

  onClose(listener: () => void): void {
    this.body.once('close', listener)
  }

  /** Whole blocks, each with an empty line behind it. */
  send(blocks: string | Buffer): void {
    if (!this.#isOpen) return
    this.body.push(blocks)
    this.#sentAtMs = performance.now()
  }

  /** In order: what was sent before still arrives. */
  end(): void {
    if (this.#isOpen) this.body.push(null)
    this.#isOpen = false
  }

  /** Keeps the connection alive while nothing happens, and ends it when nobody reads. */
  look(): void {
    const now = performance.now()
    if (this.isReady) this.#takenAtMs = now
    else if (now - this.#takenAtMs > STALL_MS) this.#reply.raw.destroy()
    if (this.isReady && now - this.#sentAtMs >= HEARTBEAT_MS) this.send(':\n\n')
  }

  /** Whether a new request would be let in. Where it would not, the stream ends; where nobody can say, nothing is to be sent. */
  async hasAccess(): Promise<boolean> {
    try {
      await this.#app.recheckAccess(this.#request, this.#reply)
      return this.#isOpen
    } catch (error) {
      if (isUnavailable(error)) return false
      if (this.isReady) this.end()
      else this.#reply.raw.destroy()
      return false
    }
  }
}
