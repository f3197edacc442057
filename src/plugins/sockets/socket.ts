import type { WebSocket } from 'ws'
import type { Actor } from '../../lib/access.ts'
import { AppError, isUnavailable } from '../../lib/errors.ts'
import { CLOSE, type Close } from './codes.ts'
import { type ClientMessage, readMessage, type ServerMessage } from './messages.ts'

/** Below what balancers and proxies take for a dead connection: the common ones wait 30 s or more. */
export const HEARTBEAT_MS = 15_000
/** A reader that has not taken what it was sent by then is cut off. It resumes where it was; nothing is kept for it. */
const STALL_MS = 8_000
/** For the two pages that may be on their way to it, and no more. */
const BUFFERED_BYTES = 1_048_576
/** For the other side to answer a close; then it is cut off. */
const FAREWELL_MS = 2_000
/** What a user's socket lives: no longer than an ended session is remembered. A key is asked for as long as it lives. */
const LIFE_MS = 900_000
const TOPICS = 50
/** Messages of a client: a page that opens subscribes to all it shows at once. */
const BUDGET = { messages: 60, refillMs: 167 }

/** What somebody who has a ticket is, and whether they still are: a session ends, a key is revoked. */
export interface Principal {
  actor: Actor
  isLive(): boolean | Promise<boolean>
}

/** An answer that several sockets ask for in one look. */
export type Once = <T>(key: string, make: () => T) => T

export interface Subscription {
  /** Throws what subscribing anew would be answered. */
  recheck(once: Once): Promise<unknown>
  leave(): void
}
/** Sends what happens in topics of one kind; `begin` throws `not_found`, `forbidden`. */
export interface Topics {
  begin(socket: LiveSocket, topic: { name: string; id: string; after: string | undefined }): Promise<Subscription>
}

/** A socket of somebody who is let in time and again. */
export class LiveSocket {
  readonly principal: Principal
  readonly #ws: WebSocket
  readonly #kinds: ReadonlyMap<string, Topics>
  readonly #subscriptions = new Map<string, Subscription>()
  #isOpen = true
  #working: Promise<void> = Promise.resolve()
  #messages: number = BUDGET.messages
  #countedAtMs = performance.now()
  #takenAtMs = performance.now()
  #pingedAtMs = performance.now()
  #answered = true
  readonly #openedAtMs = performance.now()

  /** In the turn in which the socket opens: a message that comes earlier than its listener is lost. */
  constructor(ws: WebSocket, principal: Principal, kinds: ReadonlyMap<string, Topics>) {
    this.#ws = ws
    this.principal = principal
    this.#kinds = kinds
    ws.on('message', (data, isBinary) => this.#receive(isBinary ? undefined : String(data)))
    ws.on('pong', () => {
      this.#answered = true
    })
    this.onClose(() => this.#leave())
    this.send({ type: 'welcome', heartbeatMs: HEARTBEAT_MS })
  }

  /** Whether all that was sent has been taken. Who sends events only then keeps no more than a page for a slow reader. */
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

  /** The JSON of a message. */
  write(json: Buffer): void {
    if (!this.#isOpen) return
    this.#ws.send(json, { binary: false })
    if (this.#ws.bufferedAmount > BUFFERED_BYTES) this.close('slow')
  }

  /** In order, where the other side reads and answers; by force where it does not. */
  close(why: Close): void {
    if (!this.#isOpen) return
    this.#leave()
    this.#ws.close(CLOSE[why].code, CLOSE[why].reason)
    setTimeout(() => this.#ws.terminate(), FAREWELL_MS).unref()
  }

  /** Keeps the connection alive, and ends it when nobody is there, nobody reads, or it has lived. */
  look(): void {
    const now = performance.now()
    if (this.isReady) this.#takenAtMs = now
    const isOld = this.principal.actor.type === 'user' && now - this.#openedAtMs > LIFE_MS
    if (now - this.#takenAtMs > STALL_MS) this.close('slow')
    else if (isOld) this.close('renew')
    else if (now - this.#pingedAtMs >= HEARTBEAT_MS) this.#beat(now)
  }

  /** Ends it where a new one would not be let in, or not to one of its topics; where nobody can say, it stays. */
  async recheck(once: Once): Promise<void> {
    if (!(await this.hasCredential(once))) return
    await Promise.all(Array.from(this.#subscriptions.values(), ({ recheck }) => this.isAllowed(() => recheck(once))))
  }

  async hasCredential(once: Once): Promise<boolean> {
    const { actor, isLive } = this.principal
    const alive = actor.type === 'user' ? isLive() : await this.#whether(() => once(`key ${actor.id}`, isLive))
    if (alive === false) this.close('signed_out')
    return alive === true && this.#isOpen
  }

  /** Whether `check` passes; a refusal closes the socket. */
  async isAllowed(check: () => Promise<unknown>): Promise<boolean> {
    try {
      await check()
      return this.#isOpen
    } catch (error) {
      if (!isUnavailable(error)) this.close('access_ended')
      return false
    }
  }

  /** Undefined where nobody can say. */
  async #whether(ask: () => boolean | Promise<boolean>): Promise<boolean | undefined> {
    try {
      return await ask()
    } catch {
      return undefined
    }
  }

  #leave(): void {
    this.#isOpen = false
    for (const subscription of this.#subscriptions.values()) subscription.leave()
    this.#subscriptions.clear()
  }

  #beat(now: number): void {
    if (!this.#isOpen) return
    if (this.#answered) this.#ws.ping()
    else this.close('silent')
    this.#answered = false
    this.#pingedAtMs = now
  }

  #receive(text: string | undefined): void {
    if (!this.#isOpen) return
    const message = text === undefined ? undefined : readMessage(text)
    if (!this.#isWithinBudget()) this.close('too_many')
    else if (!message) this.close('bad_message')
    // One after the other: what is unsubscribed was subscribed before.
    else this.#working = this.#working.then(() => this.#act(message))
  }

  #isWithinBudget(): boolean {
    const now = performance.now()
    this.#messages = Math.min(BUDGET.messages, this.#messages + (now - this.#countedAtMs) / BUDGET.refillMs)
    this.#countedAtMs = now
    return --this.#messages >= 0
  }

  async #act(message: ClientMessage): Promise<void> {
    if (message.type === 'ping') return this.send({ type: 'pong' })
    if (message.type === 'unsubscribe') return this.#unsubscribe(message.topic)
    try {
      await this.#subscribe(message.topic, message.after)
    } catch (error) {
      const { code, message: detail } =
        error instanceof AppError ? error : { code: 'internal_error', message: 'a fault' }
      this.send({ type: 'error', code, topic: message.topic, detail })
    }
  }

  #unsubscribe(topic: string): void {
    this.#subscriptions.get(topic)?.leave()
    this.#subscriptions.delete(topic)
    this.send({ type: 'unsubscribed', topic })
  }

  async #subscribe(topic: string, after: string | undefined): Promise<void> {
    const refuse = (code: string, detail: string) => this.send({ type: 'error', code, topic, detail })
    const [kind, id] = topic.split(':') as [string, string]
    const topics = this.#kinds.get(kind)
    if (!topics) return refuse('not_found', 'there are no topics of this kind')
    if (this.#subscriptions.has(topic)) return refuse('already_subscribed', 'unsubscribe first')
    if (this.#subscriptions.size >= TOPICS) return refuse('too_many_topics', `a socket has at most ${TOPICS}`)
    const subscription = await topics.begin(this, { name: topic, id, after })
    if (this.#isOpen) this.#subscriptions.set(topic, subscription)
    else subscription.leave()
  }
}
