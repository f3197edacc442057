import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { isUnavailable } from '../../lib/errors.ts'

/** Shorter than the idle timeout of load balancers and proxies: the common ones wait 30 s or more. */
const HEARTBEAT_MS = 15_000
/**
 * A client that has not read what it was sent within this time is cut off. It can resume from its last event; nothing
 * is kept for it.
 */
const STALL_MS = 8_000
/**
 * The delay before a client reconnects. It is random, so that the clients of a stopped process do not all reconnect at
 * once.
 */
const RETRY_MS = { least: 1_000, spread: 4_000 }

const HEADERS = {
  'content-type': 'text/event-stream',
  'cache-control': 'no-store, no-transform',
  // The connection is not reused after the stream, so nobody waits for it, least of all a process that stops.
  connection: 'close',
  'x-accel-buffering': 'no',
}

/** A long response of server-sent events (WHATWG HTML §9.2); the caller's access is checked again and again. */
export class EventStream {
  /** The body that the handler returns. */
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
      // Fastify reports only completed responses, and most streams are ended by the client.
      if (!reply.raw.writableEnded) app.observe(request, reply)
    })
    this.send(`retry: ${RETRY_MS.least + Math.floor(Math.random() * RETRY_MS.spread)}\n\n`)
  }

  /** Whether the client has taken everything that was sent. Sending only then bounds the memory for a slow client. */
  get isReady(): boolean {
    return this.#isOpen && this.body.readableLength === 0 && this.#reply.raw.writableLength === 0
  }

  onClose(listener: () => void): void {
    this.body.once('close', listener)
  }

  /** Sends whole blocks, each followed by an empty line. */
  send(blocks: string | Buffer): void {
    if (!this.#isOpen) return
    this.body.push(blocks)
    this.#sentAtMs = performance.now()
  }

  /** Ends the stream after what was already sent. */
  end(): void {
    if (this.#isOpen) this.body.push(null)
    this.#isOpen = false
  }

  /** Sends a heartbeat while nothing happens, and closes the connection when the client does not read. */
  look(): void {
    const now = performance.now()
    if (this.isReady) this.#takenAtMs = now
    else if (now - this.#takenAtMs > STALL_MS) this.#reply.raw.destroy()
    if (this.isReady && now - this.#sentAtMs >= HEARTBEAT_MS) this.send(':\n\n')
  }

  /**
   * Whether a new request would still get access. If not, the stream ends; if the check is unavailable, returns false,
   * so that nothing is sent.
   */
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
