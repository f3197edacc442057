import { setTimeout as sleep } from 'node:timers/promises'
import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Gauge } from 'prom-client'
import type { WebSocket } from 'ws'
import { everyone } from '../../lib/access.ts'
import { requestErrors } from '../../lib/errors.ts'
import { memoize } from '../../lib/memo.ts'
import { version } from '../openapi/index.ts'
import { CheckedOperation } from '../operations.ts'
import { closeCodes } from './codes.ts'
import { asyncapi } from './document.ts'
import { socketErrors } from './errors.ts'
import { LiveSocket, type Participations, type Principal, type Topics } from './socket.ts'

declare module 'fastify' {
  interface FastifyInstance {
    sockets: Sockets
  }
}

/** The end of a session reaches every process within 1 s; with this interval sockets close within 3 s. The promise is 5 s. */
const CHECK_INTERVAL_MS = 2_000
/** Enough for a person with several devices and tabs. */
const MAX_SOCKETS_PER_PRINCIPAL = 20
const MAX_SOCKETS = 10_000
/** The largest client message has a text of 4,000 characters, each of up to 12 bytes when JSON escapes it. */
const MAX_MESSAGE_BYTES = 65_536
/** How long a stop waits for clients to answer the close. */
const CLOSE_TIMEOUT_MS = 3_000
const CLOSE_POLL_MS = 20

/** Uses up a ticket; returns its principal, or undefined if it is not valid. */
export type TakeTicket = (ticket: string) => Promise<Principal | undefined>

/** The open sockets of this process. The periodic checks run only while a socket is open. */
class Sockets {
  readonly #app: FastifyInstance
  readonly #origins: ReadonlySet<string>
  readonly #open = new Set<LiveSocket>()
  readonly #ofPrincipals = new Map<string, number>()
  readonly #topics = new Map<string, Topics>()
  readonly #participations = new Map<string, Participations>()
  readonly #admitted = new WeakMap<FastifyRequest, { principal: Principal; reply: FastifyReply }>()
  #isChecking = false
  #isClosing = false

  constructor(app: FastifyInstance, origins: string[]) {
    this.#app = app
    this.#origins = new Set(origins)
  }

  /** The problems that a request may get instead of an upgrade. */
  readonly problems = [
    socketErrors.ticket_invalid,
    socketErrors.origin_refused,
    socketErrors.upgrade_required,
    socketErrors.too_many_sockets,
  ]

  /** For the description of the route. */
  readonly closeCodes = closeCodes

  get size(): number {
    return this.#open.size
  }

  /** Defines the topics that are named `kind:id`. */
  define(kind: string, topics: Topics): void {
    this.#topics.set(kind, topics)
  }

  /** Defines what else a socket does in the topics `kind:id`: it posts by `operation`, types and is present. */
  defineParticipation(kind: string, operation: string, begin: Participations['begin']): void {
    this.#participations.set(kind, { operation: new CheckedOperation(this.#app, operation), begin })
  }

  /** Enables WebSocket routes in `scope` only: the hooks of the library would cost time on every other route. */
  async attach(scope: FastifyInstance): Promise<void> {
    await scope.register(websocket, {
      options: { maxPayload: MAX_MESSAGE_BYTES, perMessageDeflate: false, clientTracking: false },
      // Protocol errors of a client are not logged as errors of the server; the socket is already closing.
      errorHandler: (_error, socket) => socket.terminate(),
      preClose: done => done(),
    })
  }

  /** Checks a request before the upgrade, when it can still be answered with a problem. Throws those of `GET /realtime`. */
  async admit(request: FastifyRequest, reply: FastifyReply, ticket: string, take: TakeTicket): Promise<void> {
    if (!request.ws) throw socketErrors.upgrade_required({ headers: { upgrade: 'websocket' } })
    const { origin } = request.headers
    if (origin !== undefined && !this.#origins.has(origin)) throw socketErrors.origin_refused()
    const principal = await take(ticket)
    if (!principal) throw socketErrors.ticket_invalid()
    if (this.#isClosing) throw requestErrors.overloaded({ detail: 'shutting down' })
    if (this.#countOf(principal) >= MAX_SOCKETS_PER_PRINCIPAL) throw socketErrors.too_many_sockets()
    if (this.size >= MAX_SOCKETS)
      throw requestErrors.overloaded({ detail: 'this process has reached its limit of open sockets' })
    request.actor = principal.actor
    this.#admitted.set(request, { principal, reply })
  }

  /** Call this in the same turn as the upgrade, or messages are lost. */
  open(ws: WebSocket, request: FastifyRequest): void {
    const { principal, reply } = this.#admitted.get(request) as { principal: Principal; reply: FastifyReply }
    // Fastify does not report an upgrade as a response. Detaching lets the request be collected while the socket is open.
    this.#app.observe(request, reply.code(101))
    if (reply.raw.socket) reply.raw.detachSocket(reply.raw.socket)
    const kinds = { topics: this.#topics, participations: this.#participations }
    const socket = new LiveSocket(ws, { principal, caller: request.caller }, kinds)
    this.#open.add(socket)
    this.#count(principal, 1)
    socket.onClose(() => {
      this.#open.delete(socket)
      this.#count(principal, -1)
    })
    if (this.#isClosing) socket.close('restart')
    if (!this.#isChecking) void this.#check()
  }

  /** Refuses new sockets and closes the open ones; their clients reconnect to another process. */
  async close(): Promise<void> {
    this.#isClosing = true
    for (const socket of this.#open) socket.close('restart')
    const end = performance.now() + CLOSE_TIMEOUT_MS
    while (this.size > 0 && performance.now() < end) await sleep(CLOSE_POLL_MS)
  }

  #countOf({ actor }: Principal): number {
    return this.#ofPrincipals.get(actor.id) ?? 0
  }

  #count(principal: Principal, by: 1 | -1): void {
    const count = this.#countOf(principal) + by
    if (count > 0) this.#ofPrincipals.set(principal.actor.id, count)
    else this.#ofPrincipals.delete(principal.actor.id)
  }

  async #check(): Promise<void> {
    this.#isChecking = true
    while (this.size > 0) {
      await sleep(CHECK_INTERVAL_MS, undefined, { ref: false })
      const memo = memoize()
      for (const socket of this.#open) socket.checkConnection()
      await Promise.all(Array.from(this.#open, socket => socket.recheckAccess(memo)))
    }
    this.#isChecking = false
  }
}

async function sockets(app: FastifyInstance, { corsOrigins, publicUrl }: { corsOrigins: string[]; publicUrl: string }) {
  const open = new Sockets(app, corsOrigins)
  const document = asyncapi({ publicUrl, version })
  app.get('/asyncapi.json', { config: { access: everyone }, schema: { hide: true } }, async () => document)
  app.decorate('sockets', open)
  app.addHook('preClose', () => open.close())
  new Gauge({
    name: 'sockets_open',
    help: 'The number of open WebSockets.',
    registers: [app.metrics],
    collect() {
      this.set(open.size)
    },
  })
}

export const socketsPlugin = fp(sockets, { name: 'sockets', dependencies: ['auth', 'observability'] })
