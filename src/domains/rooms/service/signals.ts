import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { FollowedRoom, type Follower } from './followed-room.ts'

const TOPIC = 'rooms'
/** How long signals are gathered before they are sent: the longest delay besides that of the network. */
const GATHER_MS = 200
/** How often a process says who is present, and how long the others believe it. */
const ANNOUNCE_MS = 10_000
const BELIEVED_MS = 25_000
/** Each signal takes some 90 bytes, and one message carries 7,500. */
const SIGNALS_AT_ONCE = 80

/** `?` asks who is present in the room. */
type Signal = [kind: 'present' | 'absent' | 'typing' | '?', roomId: string, userId: string]

/**
 * Who is present and who is typing in rooms, in all processes. Nothing is stored: processes tell each other, several
 * signals in one message. A message may be lost, so who is present is repeated, and forgotten when it is not.
 */
export class RoomSignals {
  readonly #app: FastifyInstance
  readonly #node = randomUUID()
  readonly #rooms = new Map<string, FollowedRoom>()
  readonly #waiting = new Map<string, Signal>()
  #isSending = false

  constructor(app: FastifyInstance) {
    this.#app = app
    app.signals.on(TOPIC, payload => this.#hear(payload))
  }

  /** Returns a function that ends it. The follower is told who is present, now and from now on. */
  follow(roomId: string, follower: Follower): () => void {
    const room = this.#rooms.get(roomId) ?? this.#open(roomId)
    room.followers.add(follower)
    follower.presence({ present: [...room.told], absent: [] })
    this.#count(roomId, room, follower, 1)
    return () => {
      room.followers.delete(follower)
      this.#count(roomId, room, follower, -1)
      if (room.followers.size === 0) this.#rooms.delete(roomId)
    }
  }

  typing(roomId: string, userId: string): void {
    this.#tellTyping(roomId, userId)
    this.#send(['typing', roomId, userId])
  }

  #open(roomId: string): FollowedRoom {
    const room = new FollowedRoom()
    this.#rooms.set(roomId, room)
    this.#send(['?', roomId, ''])
    return room
  }

  #count(roomId: string, room: FollowedRoom, { userId }: Follower, by: 1 | -1): void {
    if (userId === null) return
    room.count(userId, by)
    if (!room.here.has(userId)) this.#send(['absent', roomId, userId])
    else if (by === 1 && room.here.get(userId) === 1) this.#send(['present', roomId, userId])
  }

  #tellTyping(roomId: string, userId: string): void {
    for (const follower of this.#rooms.get(roomId)?.followers ?? [])
      if (follower.userId !== userId) follower.typing(userId)
  }

  /** The latest signal of a user in a room replaces the one before, but typing does not replace presence. */
  #send(signal: Signal): void {
    const [kind, roomId, userId] = signal
    this.#waiting.set(`${kind === 'typing'} ${roomId} ${userId}`, signal)
    if (!this.#isSending) void this.#run()
  }

  /** Runs while somebody in this process follows a room, or something waits to be sent. */
  async #run(): Promise<void> {
    this.#isSending = true
    let announceAtMs = performance.now() + ANNOUNCE_MS
    while (this.#rooms.size > 0 || this.#waiting.size > 0) {
      await sleep(GATHER_MS, undefined, { ref: false })
      const now = performance.now()
      for (const room of this.#rooms.values()) {
        room.forget(now)
        room.tell()
      }
      if (now >= announceAtMs) {
        announceAtMs = now + ANNOUNCE_MS
        for (const roomId of this.#rooms.keys()) this.#announce(roomId)
      }
      await this.#flush()
    }
    this.#isSending = false
  }

  #announce(roomId: string): void {
    for (const userId of this.#rooms.get(roomId)?.here.keys() ?? [])
      this.#waiting.set(`false ${roomId} ${userId}`, ['present', roomId, userId])
  }

  /** Signals that cannot be sent are given up: presence is repeated, and typing is over by then. */
  async #flush(): Promise<void> {
    const signals = [...this.#waiting.values()]
    this.#waiting.clear()
    try {
      while (signals.length > 0) {
        const payload = JSON.stringify([this.#node, signals.splice(0, SIGNALS_AT_ONCE)])
        await this.#app.signals.send(TOPIC, payload)
      }
    } catch (error) {
      this.#app.log.debug({ err: error }, 'who is present in rooms cannot be sent')
    }
  }

  /** Without a payload, messages may have been missed. */
  #hear(payload: string | undefined): void {
    if (payload === undefined) {
      for (const roomId of this.#rooms.keys()) this.#send(['?', roomId, ''])
      return
    }
    const [node, signals] = JSON.parse(payload) as [node: string, Signal[]]
    if (node !== this.#node) for (const signal of signals) this.#take(node, signal)
  }

  #take(node: string, [kind, roomId, userId]: Signal): void {
    const room = this.#rooms.get(roomId)
    if (!room) return
    if (kind === '?') this.#announce(roomId)
    else if (kind === 'typing') this.#tellTyping(roomId, userId)
    else room.believe(userId, node, kind === 'present' ? performance.now() + BELIEVED_MS : undefined)
  }
}
