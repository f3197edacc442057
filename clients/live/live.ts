import { delayAfter, isFinal } from './closing.ts'

/** A recorded change, as in `GET /events`. */
export interface LiveEvent {
  id: string
  type: string
  organizationId: string | null
  actor: { type: 'user' | 'api_key' | 'system'; id: string | null }
  target: { type: string; id: string }
  data: Record<string, unknown>
  createdAt: string
}

export interface Listener {
  /** The topic is followed: read the present state now, and no change after it is missed. Again after each reconnection. */
  onSubscribed?(cursor: string): void
  /** Called for each event of the topic, once and in order. Store `cursor` to go on after a restart of the program. */
  onEvent(event: LiveEvent, cursor: string): void
  /** Events were missed and are not sent: read the current state again. */
  onResync?(reason: 'cursor_unknown' | 'cursor_expired' | 'too_old'): void
  /** The topic was refused, for example with `not_found` or `forbidden`. It is given up. */
  onRefused?(problem: { code: string; detail: string }): void
}

export interface LiveOptions {
  /** The URL of the API, such as `https://api.example.com/api/v1`. */
  url: string
  /** Returns an access token or an API key. Called before each attempt to connect; renew an access token here. */
  token(): string | Promise<string>
  /** The connection has ended for good: the credentials are refused, or the server cannot read this client. */
  onEnd?(reason: string): void
  /** Called with true when the socket is open, and with false when it is lost. */
  onConnection?(isOpen: boolean): void
}

type Message =
  | { type: 'welcome'; heartbeatMs: number }
  | { type: 'subscribed'; topic: string; cursor: string }
  | { type: 'event'; topic: string; cursor: string; event: LiveEvent }
  | { type: 'resync'; topic: string; reason: 'cursor_unknown' | 'cursor_expired' | 'too_old' }
  | { type: 'error'; topic: string; code: string; detail: string }
  | { type: 'unsubscribed'; topic: string }
  | { type: 'pong' }

/** Time for the ticket, the connection and the first message. */
const CONNECT_TIMEOUT_MS = 10_000
/** A connection of this age was good: the next failure counts as the first. */
const STABLE_MS = 10_000
const FIRST_HEARTBEAT_MS = 15_000

/**
 * Follows topics over one WebSocket for as long as the program wants: it reconnects with growing random delays, gets a
 * new ticket for each attempt, and resumes each topic after the last event it received. For browsers and Node.js 22.
 */
export class LiveClient {
  readonly #options: LiveOptions
  readonly #topics = new Map<string, { listener: Listener; cursor: string | undefined }>()
  #socket: WebSocket | undefined
  #timer: ReturnType<typeof setTimeout> | undefined
  #heartbeat: ReturnType<typeof setInterval> | undefined
  #attempt = 0
  #openedAtMs = 0
  #heardAtMs = 0
  #isStarted = false
  #hasEnded = false

  constructor(options: LiveOptions) {
    this.#options = options
  }

  /**
   * Follows a topic: `organization:<id>`, `project:<id>` or `task:<id>`. With the cursor `after` it begins with the event
   * that follows it, otherwise with what happens from now on. Returns a function that ends it.
   */
  subscribe(topic: string, listener: Listener, after?: string): () => void {
    this.#topics.set(topic, { listener, cursor: after })
    if (!this.#isStarted) void this.#connect()
    else this.#send({ type: 'subscribe', topic, ...(after === undefined ? {} : { after }) })
    return () => this.#unsubscribe(topic)
  }

  /** Ends the connection and all topics. */
  close(): void {
    this.#hasEnded = true
    this.#topics.clear()
    this.#disconnect()
  }

  #unsubscribe(topic: string): void {
    if (this.#topics.delete(topic)) this.#send({ type: 'unsubscribe', topic })
  }

  #send(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  async #connect(): Promise<void> {
    this.#isStarted = true
    try {
      const ticket = await this.#ticket()
      if (this.#hasEnded || typeof ticket !== 'string') return
      this.#open(`${this.#options.url.replace(/^http/, 'ws')}/realtime?ticket=${ticket}`)
    } catch {
      this.#retry(delayAfter(undefined, this.#attempt))
    }
  }

  /** Returns a ticket; otherwise plans another attempt or ends, as the answer says. */
  async #ticket(): Promise<string | undefined> {
    const answer = await fetch(`${this.#options.url}/realtime/ticket`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await this.#options.token()}` },
      signal: AbortSignal.timeout(CONNECT_TIMEOUT_MS),
    })
    if (answer.ok) return ((await answer.json()) as { ticket: string }).ticket
    if (answer.status === 429 || answer.status >= 500) {
      const seconds = Number(answer.headers.get('retry-after')) || 0
      this.#retry(seconds * 1_000 + delayAfter(undefined, this.#attempt))
    } else this.#end(`the ticket was refused with ${answer.status}`)
    return undefined
  }

  #open(url: string): void {
    const socket = new WebSocket(url)
    this.#socket = socket
    this.#timer = setTimeout(() => this.#lose(socket, undefined), CONNECT_TIMEOUT_MS)
    socket.addEventListener('message', ({ data }) => this.#receive(socket, JSON.parse(String(data)) as Message))
    socket.addEventListener('close', ({ code }) => this.#lose(socket, code))
    socket.addEventListener('error', () => this.#lose(socket, undefined))
  }

  #receive(socket: WebSocket, message: Message): void {
    if (socket !== this.#socket) return
    this.#heardAtMs = performance.now()
    if (message.type === 'welcome') this.#begin(socket, message.heartbeatMs)
    else if ('topic' in message) this.#tell(message)
  }

  #begin(socket: WebSocket, heartbeatMs = FIRST_HEARTBEAT_MS): void {
    clearTimeout(this.#timer)
    this.#openedAtMs = performance.now()
    this.#heartbeat = setInterval(() => this.#check(socket, heartbeatMs), heartbeatMs)
    for (const [topic, { cursor }] of this.#topics)
      this.#send({ type: 'subscribe', topic, ...(cursor === undefined ? {} : { after: cursor }) })
    this.#options.onConnection?.(true)
  }

  /** Browsers do not show the pings of the protocol, so the client asks for a message itself. */
  #check(socket: WebSocket, heartbeatMs: number): void {
    const silentMs = performance.now() - this.#heardAtMs
    if (silentMs >= 2 * heartbeatMs) this.#lose(socket, undefined)
    else this.#send({ type: 'ping' })
  }

  #tell(message: Extract<Message, { topic: string }>): void {
    const topic = this.#topics.get(message.topic)
    if (!topic) return
    if ('cursor' in message) topic.cursor = message.cursor
    if (message.type === 'event') topic.listener.onEvent(message.event, message.cursor)
    else if (message.type === 'subscribed') topic.listener.onSubscribed?.(message.cursor)
    else if (message.type === 'resync') topic.listener.onResync?.(message.reason)
    else if (message.type === 'error') {
      this.#topics.delete(message.topic)
      topic.listener.onRefused?.({ code: message.code, detail: message.detail })
    }
  }

  /** Called once for each socket, whatever is noticed first. */
  #lose(socket: WebSocket, code: number | undefined): void {
    if (socket !== this.#socket) return
    const wasOpen = this.#openedAtMs > 0
    if (wasOpen && performance.now() - this.#openedAtMs > STABLE_MS) this.#attempt = 0
    this.#disconnect()
    if (wasOpen) this.#options.onConnection?.(false)
    if (isFinal(code)) this.#end(`the server closed the socket with ${code}`)
    else this.#retry(delayAfter(code, this.#attempt))
  }

  #disconnect(): void {
    const socket = this.#socket
    this.#socket = undefined
    this.#openedAtMs = 0
    clearTimeout(this.#timer)
    clearInterval(this.#heartbeat)
    socket?.close()
  }

  #retry(delayMs: number): void {
    if (this.#hasEnded) return
    this.#attempt++
    this.#timer = setTimeout(() => void this.#connect(), delayMs)
  }

  #end(reason: string): void {
    if (this.#hasEnded) return
    this.close()
    this.#options.onEnd?.(reason)
  }
}
