import { delayAfter, isFinal } from './closing.ts'
import { newClientId, type Post, PostError, type Posted } from './posts.ts'

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
  /** Of a room: who has come and gone. After each `onSubscribed`, `present` names all who are there. */
  onPresence?(change: { present: string[]; absent: string[] }): void
  /** Of a room: another user writes. Forget it after 6 seconds, or with the next message of the user. */
  onTyping?(userId: string): void
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
  | { type: 'error'; topic: string; clientId?: string; code: string; detail: string }
  | { type: 'posted'; topic: string; clientId: string; id: string; sequence: number }
  | { type: 'presence'; topic: string; present: string[]; absent: string[] }
  | { type: 'user_typing'; topic: string; userId: string }
  | { type: 'unsubscribed'; topic: string }
  | { type: 'pong' }

/** The server passes on one `typing` in 2 seconds. */
const TYPING_MS = 3_000
/** Time for the ticket, the connection and the first message. */
const CONNECT_TIMEOUT_MS = 10_000
/** A connection of this age was good: the next failure counts as the first. */
const STABLE_MS = 10_000
const FIRST_HEARTBEAT_MS = 15_000

interface Topic {
  listener: Listener
  cursor: string | undefined
  /** Whether the present socket follows it. */
  isFollowed: boolean
  typedAtMs: number
}

/**
 * Follows topics over one WebSocket for as long as the program wants: it reconnects with growing random delays, gets a
 * new ticket for each attempt, and resumes each topic after the last event it received. For browsers and Node.js 22.
 */
export class LiveClient {
  readonly #options: LiveOptions
  readonly #topics = new Map<string, Topic>()
  /** Messages without an answer, by the id that this client has given each. */
  readonly #posts = new Map<string, Post>()
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
   * Follows a topic: `organization:<id>`, `project:<id>`, `task:<id>` or `room:<id>`. With the cursor `after` it begins with the event
   * that follows it, otherwise with what happens from now on. Returns a function that ends it.
   */
  subscribe(topic: string, listener: Listener, after?: string): () => void {
    this.#topics.set(topic, { listener, cursor: after, isFollowed: false, typedAtMs: Number.NEGATIVE_INFINITY })
    if (!this.#isStarted) void this.#connect()
    else this.#send({ type: 'subscribe', topic, ...(after === undefined ? {} : { after }) })
    return () => this.#unsubscribe(topic)
  }

  /**
   * Writes a message into a room whose topic is subscribed, and resolves when it is stored. Over a lost connection it is sent
   * again, and stored once. Rejects with a `PostError`: the code of the problem, or `closed`.
   */
  post(topic: string, body: string, replyToId?: string): Promise<Posted> {
    return new Promise((resolve, reject) => {
      const clientId = newClientId()
      this.#posts.set(clientId, { topic, body, ...(replyToId === undefined ? {} : { replyToId }), resolve, reject })
      if (!this.#topics.has(topic))
        this.#rejectPosts(topic, 'not_subscribed', 'the client has not subscribed to the room')
      else if (this.#topics.get(topic)?.isFollowed) this.#sendPost(clientId)
    })
  }

  /** Tells the others in a room that the user writes. Call it with each key stroke. */
  typing(topic: string): void {
    const followed = this.#topics.get(topic)
    const now = performance.now()
    if (!followed?.isFollowed || now - followed.typedAtMs < TYPING_MS) return
    followed.typedAtMs = now
    this.#send({ type: 'typing', topic })
  }

  /** Ends the connection and all topics. */
  close(): void {
    this.#hasEnded = true
    for (const topic of this.#topics.keys()) this.#rejectPosts(topic, 'closed', 'the client has ended')
    this.#topics.clear()
    this.#disconnect()
  }

  #unsubscribe(topic: string): void {
    if (this.#topics.delete(topic)) this.#send({ type: 'unsubscribe', topic })
    this.#rejectPosts(topic, 'not_subscribed', 'the topic is no longer followed')
  }

  #send(message: object): void {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(JSON.stringify(message))
  }

  #sendPost(clientId: string): void {
    const { resolve: _, reject: __, ...message } = this.#posts.get(clientId) as Post
    this.#send({ type: 'post', clientId, ...message })
  }

  #rejectPosts(topic: string, code: string, detail: string): void {
    for (const [clientId, post] of this.#posts) if (post.topic === topic) this.#reject(clientId, code, detail)
  }

  #reject(clientId: string, code: string, detail: string): void {
    this.#posts.get(clientId)?.reject(new PostError(code, detail))
    this.#posts.delete(clientId)
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
    else if (message.type === 'subscribed') this.#follow(message.topic, topic)
    else if (message.type === 'presence') topic.listener.onPresence?.(message)
    else if (message.type === 'user_typing') topic.listener.onTyping?.(message.userId)
    else if (message.type === 'posted') {
      this.#posts.get(message.clientId)?.resolve(message)
      this.#posts.delete(message.clientId)
    } else if (message.type === 'error' && message.clientId !== undefined)
      this.#reject(message.clientId, message.code, message.detail)
    else if (message.type === 'resync') topic.listener.onResync?.(message.reason)
    else if (message.type === 'error') {
      this.#topics.delete(message.topic)
      this.#rejectPosts(message.topic, message.code, message.detail)
      topic.listener.onRefused?.({ code: message.code, detail: message.detail })
    }
  }

  #follow(name: string, topic: Topic): void {
    topic.isFollowed = true
    topic.listener.onSubscribed?.(topic.cursor as string)
    for (const [clientId, post] of this.#posts) if (post.topic === name) this.#sendPost(clientId)
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
    for (const topic of this.#topics.values()) topic.isFollowed = false
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
