import { setTimeout as sleep } from 'node:timers/promises'
import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Gauge } from 'prom-client'
import type { WebSocket } from 'ws'
import { requestErrors } from '../../lib/errors.ts'
import { socketErrors } from './errors.ts'
import { LiveSocket, type Once, type Principal, type Topics } from './socket.ts'

declare module 'fastify' {
  interface FastifyInstance {
    sockets: Sockets
  }
}

/** With the second in which the end of a session is known everywhere, well below the five that are promised. */
const LOOK_MS = 2_000
/** A person has several tabs and devices. */
const OF_ONE_PRINCIPAL = 20
const OF_ONE_PROCESS = 10_000
/** The largest message there is has a topic and a cursor. */
const MESSAGE_BYTES = 4_096
/** How long a stop waits for the clients to answer the close. */
const STOP_MS = 3_000
const STOP_LOOK_MS = 20

/** Who has a ticket, or undefined. */
export type TakeTicket = (ticket: string) => Promise<Principal | undefined>

/** Answers each question once. */
function once(): Once {
  const answers = new Map<string, unknown>()
  return <T>(key: string, make: () => T): T => {
    if (!answers.has(key)) answers.set(key, make())
    return answers.get(key) as T
  }
}

/** The open sockets of this process. Without one nothing runs. */
class Sockets {
  readonly #app: FastifyInstance
  readonly #origins: ReadonlySet<string>
  readonly #open = new Set<LiveSocket>()
  readonly #ofPrincipals = new Map<string, number>()
  readonly #kinds = new Map<string, Topics>()
  readonly #arriving = new WeakMap<FastifyRequest, { principal: Principal; reply: FastifyReply }>()
  #looking = false
  #closing = false

  constructor(app: FastifyInstance, origins: string[]) {
    this.#app = app
    this.#origins = new Set(origins)
  }

  /** What may be answered in place of an upgrade. */
  readonly problems = [
    socketErrors.ticket_invalid,
    socketErrors.origin_refused,
    socketErrors.upgrade_required,
    socketErrors.too_many_sockets,
  ]

  get size(): number {
    return this.#open.size
  }

  /** What `kind:id` means. */
  define(kind: string, topics: Topics): void {
    this.#kinds.set(kind, topics)
  }

  /** Routes of `scope` can take sockets; no other route pays for it. */
  async attach(scope: FastifyInstance): Promise<void> {
    await scope.register(websocket, {
      options: { maxPayload: MESSAGE_BYTES, perMessageDeflate: false, clientTracking: false },
      // What a client does wrong with its socket is no fault of ours, and has closed it.
      errorHandler: (_error, socket) => socket.terminate(),
      preClose: done => done(),
    })
  }

  /** Before the upgrade, while a problem can still be answered. Throws what `GET /realtime` declares. */
  async admit(request: FastifyRequest, reply: FastifyReply, ticket: string, take: TakeTicket): Promise<void> {
    if (!request.ws) throw socketErrors.upgrade_required({ headers: { upgrade: 'websocket' } })
    const { origin } = request.headers
    if (origin !== undefined && !this.#origins.has(origin)) throw socketErrors.origin_refused()
    const principal = await take(ticket)
    if (!principal) throw socketErrors.ticket_invalid()
    if (this.#closing) throw requestErrors.overloaded({ detail: 'shutting down' })
    if (this.#countOf(principal) >= OF_ONE_PRINCIPAL) throw socketErrors.too_many_sockets()
    if (this.size >= OF_ONE_PROCESS)
      throw requestErrors.overloaded({ detail: 'as many sockets as there may be are open' })
    request.actor = principal.actor
    this.#arriving.set(request, { principal, reply })
  }

  /** In the same turn as the upgrade. */
  open(ws: WebSocket, request: FastifyRequest): void {
    const { principal, reply } = this.#arriving.get(request) as { principal: Principal; reply: FastifyReply }
    // The library tells only of answers that it wrote itself. What belongs to the request need not live on with the socket.
    this.#app.observe(request, reply.code(101))
    if (reply.raw.socket) reply.raw.detachSocket(reply.raw.socket)
    const socket = new LiveSocket(ws, principal, this.#kinds)
    this.#open.add(socket)
    this.#count(principal, 1)
    socket.onClose(() => {
      this.#open.delete(socket)
      this.#count(principal, -1)
    })
    if (this.#closing) socket.close('restart')
    if (!this.#looking) void this.#look()
  }

  /** No more are opened. The clients come back, and find another process. */
  async close(): Promise<void> {
    this.#closing = true
    for (const socket of this.#open) socket.close('restart')
    const end = performance.now() + STOP_MS
    while (this.size > 0 && performance.now() < end) await sleep(STOP_LOOK_MS)
  }

  #countOf({ actor }: Principal): number {
    return this.#ofPrincipals.get(actor.id) ?? 0
  }

  #count(principal: Principal, by: 1 | -1): void {
    const count = this.#countOf(principal) + by
    if (count > 0) this.#ofPrincipals.set(principal.actor.id, count)
    else this.#ofPrincipals.delete(principal.actor.id)
  }

  async #look(): Promise<void> {
    this.#looking = true
    while (this.size > 0) {
      await sleep(LOOK_MS, undefined, { ref: false })
      const asked = once()
      for (const socket of this.#open) socket.look()
      await Promise.all(Array.from(this.#open, socket => socket.recheck(asked)))
    }
    this.#looking = false
  }
}

async function sockets(app: FastifyInstance, { corsOrigins }: { corsOrigins: string[] }) {
  const open = new Sockets(app, corsOrigins)
  app.decorate('sockets', open)
  app.addHook('preClose', () => open.close())
  new Gauge({
    name: 'sockets_open',
    help: 'WebSockets that are open.',
    registers: [app.metrics],
    collect() {
      this.set(open.size)
    },
  })
}

export const socketsPlugin = fp(sockets, { name: 'sockets', dependencies: ['auth', 'observability'] })
