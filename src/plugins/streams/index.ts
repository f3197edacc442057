import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Gauge } from 'prom-client'
import { requestErrors } from '../../lib/errors.ts'
import { streamErrors } from './errors.ts'
import { EventStream } from './event-stream.ts'

declare module 'fastify' {
  interface FastifyInstance {
    streams: Streams
  }
}

/**
 * The interval of access checks. Together with the second in which all nodes learn of an ended session, it is well
 * below the promised five seconds.
 */
const LOOK_MS = 2_000
const OF_ONE_PRINCIPAL = 10
/** Each stream may have a few hundred kilobytes in flight to a slow client. */
const OF_ONE_PROCESS = 1_000

/** The open event streams of this process. No timer runs while there are none. */
class Streams {
  readonly #app: FastifyInstance
  readonly #open = new Set<EventStream>()
  #looking = false
  #closing = false

  constructor(app: FastifyInstance) {
    this.#app = app
  }

  get size(): number {
    return this.#open.size
  }

  /** Checks that a stream may be opened, before a write whose answer is one. Throws `too_many_streams`, `overloaded`. */
  requireRoom(request: FastifyRequest): void {
    if (this.#closing) throw requestErrors.overloaded({ detail: 'shutting down' })
    const own = [...this.#open].filter(({ principalId }) => principalId === request.actor?.id)
    if (own.length >= OF_ONE_PRINCIPAL) throw streamErrors.too_many_streams()
    if (this.size >= OF_ONE_PROCESS)
      throw requestErrors.overloaded({ detail: 'as many streams as there may be are open' })
  }

  /** Opens a stream; the handler returns its `body`. Throws as `requireRoom`. */
  open(request: FastifyRequest, reply: FastifyReply): EventStream {
    this.requireRoom(request)
    const stream = new EventStream(this.#app, request, reply)
    this.#open.add(stream)
    stream.onClose(() => this.#open.delete(stream))
    if (!this.#looking) void this.#look()
    return stream
  }

  /** Ends all streams and opens no more. The clients reconnect to another process. */
  close(): void {
    this.#closing = true
    for (const stream of this.#open) stream.end()
  }

  async #look(): Promise<void> {
    this.#looking = true
    while (this.size > 0) {
      await sleep(LOOK_MS, undefined, { ref: false })
      for (const stream of this.#open) stream.look()
      await Promise.all([...this.#open].map(stream => stream.hasAccess()))
    }
    this.#looking = false
  }
}

async function streams(app: FastifyInstance) {
  const open = new Streams(app)
  app.decorate('streams', open)
  app.addHook('preClose', async () => open.close())
  new Gauge({
    name: 'event_streams_open',
    help: 'Event streams that are open; each is a request in flight.',
    registers: [app.metrics],
    collect() {
      this.set(open.size)
    },
  })
}

export const streamsPlugin = fp(streams, { name: 'streams', dependencies: ['access', 'observability'] })
