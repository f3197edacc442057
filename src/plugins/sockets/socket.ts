import type { WebSocket } from 'ws'
import type { Caller } from '../../events/caller.ts'
import type { Actor } from '../../lib/access.ts'
import { AppError, isUnavailable, requestErrors } from '../../lib/errors.ts'
import { type Memo, memoize } from '../../lib/memo.ts'
import type { CheckedOperation } from '../operations.ts'
import { CLOSE, type Close } from './codes.ts'
import { socketErrors } from './errors.ts'
import { type ClientMessage, readMessage, type ServerMessage } from './messages.ts'

/** Shorter than the idle timeout of load balancers and proxies: the common ones wait 30 s or more. */
export const HEARTBEAT_MS = 15_000
/** A client that has not read what it was sent within this time is cut off. It can resume from its last cursor. */
const STALL_MS = 8_000
/** The limit of the send buffer. Larger than two pages, so that only a client that does not read reaches it. */
const MAX_BUFFERED_BYTES = 1_048_576
/** How long the client has to answer a close before the connection is cut. */
const CLOSE_TIMEOUT_MS = 2_000
/**
 * The longest life of a user's socket, because ended sessions are remembered only for the life of an access token, 15
 * minutes. Keys are looked up in the database at each check, so their sockets have no limit.
 */
const MAX_AGE_MS = 900_000
const MAX_TOPICS = 50
/** The limit of client messages: 60 at once, for a page that subscribes to all its topics, and then 6 a second. */
const BUDGET = { messages: 60, refillMs: 167 }

/** The actor of a ticket. `isLive` says whether its session or key is still valid. */
export interface Principal {
  actor: Actor
  isLive(): boolean | Promise<boolean>
}

export interface Subscription {
  /** Throws the error that a new subscription would get. `memo` is shared by all sockets of one round of checks. */
  recheck(memo: Memo): Promise<unknown>
  leave(): void
}

type Post = Extract<ClientMessage, { type: 'post' }>

/** The part that a socket takes in a topic, besides receiving its events. */
export interface Participation {
  /** Stores a message, whose body and access the operation has checked. */
  post(body: object): Promise<{ id: string; sequence: number }>
  typing(): void
  leave(): void
}
export interface Participations {
  /** A message is posted by the rule and the schema of this operation. */
  operation: CheckedOperation
  begin(socket: LiveSocket, topic: { name: string; id: string }): Participation
}

/** The topics of one kind. `begin` starts a subscription and throws `not_found` or `forbidden`. */
export interface Topics {
  begin(socket: LiveSocket, topic: { name: string; id: string; after: string | undefined }): Promise<Subscription>
}

/** What the domains have defined for the topics of each kind. */
export interface Kinds {
  topics: ReadonlyMap<string, Topics>
  participations: ReadonlyMap<string, Participations>
}

/** An open socket, whose access is checked again and again. */
export class LiveSocket {
  readonly principal: Principal
  /** The writer of what the client posts. */
  readonly caller: Caller
  readonly #ws: WebSocket
  readonly #kinds: Kinds
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #participations = new Map<string, Participation>()
  #isOpen = true
  #processing: Promise<void> = Promise.resolve()
  #messages: number = BUDGET.messages
  #countedAtMs = performance.now()
  #takenAtMs = performance.now()
  #pingedAtMs = performance.now()
  #hasPonged = true
  readonly #openedAtMs = performance.now()

  /** Call this in the same turn as the upgrade: a message that arrives before its listener is added is lost. */
  constructor(ws: WebSocket, { principal, caller }: Pick<LiveSocket, 'principal' | 'caller'>, kinds: Kinds) {
    this.#ws = ws
    this.principal = principal
    this.caller = caller
    this.#kinds = kinds
    ws.on('message', (data, isBinary) => this.#receive(isBinary ? undefined : String(data)))
    ws.on('pong', () => {
      this.#hasPonged = true
    })
    this.onClose(() => this.#unsubscribeAll())
    this.send({ type: 'welcome', heartbeatMs: HEARTBEAT_MS })
  }

  /** Whether everything that was sent has left this process. Sending only then bounds the memory for a slow client. */
  get isReady(): boolean {
    return this.#isOpen && this.#ws.bufferedAmount === 0
  }

  get bufferedBytes(): number {
    return this.#ws.bufferedAmount
  }

  onClose(listener: () => void): void {
    this.#ws.once('close', listener)
  }

  send(message: ServerMessage): void {
    this.write(Buffer.from(JSON.stringify(message)))
  }

  /** Sends a message that is already JSON. */
  write(json: Buffer): void {
    if (!this.#isOpen) return
    this.#ws.send(json, { binary: false })
    if (this.#ws.bufferedAmount > MAX_BUFFERED_BYTES) this.close('slow')
  }

  /** Closes with a closing handshake, and cuts the connection if the client does not answer. */
  close(why: Close): void {
    if (!this.#isOpen) return
    this.#unsubscribeAll()
    this.#ws.close(CLOSE[why].code, CLOSE[why].reason)
    setTimeout(() => this.#ws.terminate(), CLOSE_TIMEOUT_MS).unref()
  }

  /** Pings when it is time; closes a socket whose client does not answer or read, or which is too old. */
  checkConnection(): void {
    const now = performance.now()
    if (this.isReady) this.#takenAtMs = now
    const isOld = this.principal.actor.type === 'user' && now - this.#openedAtMs > MAX_AGE_MS
    if (now - this.#takenAtMs > STALL_MS) this.close('slow')
    else if (isOld) this.close('renew')
    else if (now - this.#pingedAtMs >= HEARTBEAT_MS) this.#ping(now)
  }

  /** Closes the socket if its credential or access to a topic has ended. It stays open while the database cannot answer. */
  async recheckAccess(memo: Memo): Promise<void> {
    if (!(await this.hasCredential(memo))) return
    await Promise.all(Array.from(this.#subscriptions.values(), ({ recheck }) => this.isAllowed(() => recheck(memo))))
  }

  async hasCredential(memo: Memo): Promise<boolean> {
    const { actor, isLive } = this.principal
    const alive = actor.type === 'user' ? isLive() : await this.#whether(() => memo(`key ${actor.id}`, isLive))
    if (alive === false) this.close('signed_out')
    return alive === true && this.#isOpen
  }

  /** Returns whether `check` succeeds. A refusal closes the socket. */
  async isAllowed(check: () => Promise<unknown>): Promise<boolean> {
    try {
      await check()
      return this.#isOpen
    } catch (error) {
      if (!isUnavailable(error)) this.close('access_ended')
      return false
    }
  }

  /** Returns undefined when the check fails, for example because the database is not available. */
  async #whether(check: () => boolean | Promise<boolean>): Promise<boolean | undefined> {
    try {
      return await check()
    } catch {
      return undefined
    }
  }

  #unsubscribeAll(): void {
    this.#isOpen = false
    for (const left of [...this.#subscriptions.values(), ...this.#participations.values()]) left.leave()
    this.#subscriptions.clear()
    this.#participations.clear()
  }

  #ping(now: number): void {
    if (!this.#isOpen) return
    if (this.#hasPonged) this.#ws.ping()
    else this.close('silent')
    this.#hasPonged = false
    this.#pingedAtMs = now
  }

  #receive(text: string | undefined): void {
    if (!this.#isOpen) return
    const message = text === undefined ? undefined : readMessage(text)
    if (!this.#isWithinBudget()) this.close('too_many')
    else if (!message) this.close('bad_message')
    // Messages are processed in order: an `unsubscribe` waits for the `subscribe` before it.
    else this.#processing = this.#processing.then(() => this.#process(message))
  }

  #isWithinBudget(): boolean {
    const now = performance.now()
    this.#messages = Math.min(BUDGET.messages, this.#messages + (now - this.#countedAtMs) / BUDGET.refillMs)
    this.#countedAtMs = now
    return --this.#messages >= 0
  }

  async #process(message: ClientMessage): Promise<void> {
    if (message.type === 'ping') return this.send({ type: 'pong' })
    const { topic } = message
    try {
      if (message.type === 'unsubscribe') this.#unsubscribe(topic)
      else if (message.type === 'subscribe') await this.#subscribe(topic, message.after)
      else if (message.type === 'typing') this.#participationIn(topic).typing()
      else await this.#post(message)
    } catch (error) {
      const { code, message: detail } =
        error instanceof AppError ? error : { code: 'internal_error', message: 'an internal error occurred' }
      const { clientId } = message as Partial<Post>
      this.send({ type: 'error', code, topic, ...(clientId === undefined ? {} : { clientId }), detail })
    }
  }

  /** Throws `not_subscribed` also for topics into which nobody can write. */
  #participationIn(topic: string): Participation {
    const participation = this.#participations.get(topic)
    if (!participation) throw socketErrors.not_subscribed()
    return participation
  }

  async #post(message: Post): Promise<void> {
    const { topic, type: _, ...given } = message
    const participation = this.#participationIn(topic)
    if (!(await this.hasCredential(memoize()))) return
    const [kind, parentId] = topic.split(':') as [string, string]
    const { operation } = this.#kinds.participations.get(kind) as Participations
    operation.authorize(this.principal)
    const body = operation.checked('body', given)
    await operation.belongs(this.principal, parentId)
    const { id, sequence } = await participation.post(body)
    this.send({ type: 'posted', topic, clientId: given.clientId, id, sequence })
  }

  #unsubscribe(topic: string): void {
    for (const left of [this.#subscriptions, this.#participations]) {
      left.get(topic)?.leave()
      left.delete(topic)
    }
    this.send({ type: 'unsubscribed', topic })
  }

  async #subscribe(topic: string, after: string | undefined): Promise<void> {
    const [kind, id] = topic.split(':') as [string, string]
    const topics = this.#kinds.topics.get(kind)
    if (!topics) throw requestErrors.not_found({ detail: 'topics of this kind do not exist' })
    if (this.#subscriptions.has(topic)) throw socketErrors.already_subscribed()
    if (this.#subscriptions.size >= MAX_TOPICS) throw socketErrors.too_many_topics()
    const subscription = await topics.begin(this, { name: topic, id, after })
    if (!this.#isOpen) return subscription.leave()
    this.#subscriptions.set(topic, subscription)
    const participation = this.#kinds.participations.get(kind)?.begin(this, { name: topic, id })
    if (participation) this.#participations.set(topic, participation)
  }
}
