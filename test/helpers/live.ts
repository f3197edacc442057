import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import WebSocket from 'ws'
import { isServerMessage, type ServerMessage } from '../../src/plugins/sockets/messages.ts'
import { type Credentials, call } from './call.ts'
import { eventually } from './mail.ts'

type Told = Extract<ServerMessage, { type: 'event' }>

export const ticketFor = async (app: FastifyInstance, as: Credentials): Promise<string> =>
  (await call(app, 'POST /realtime/ticket', { as })).body.ticket

/** A socket as the server sees it, without what a good client does by itself. Every message is held against its schema. */
export class RawSocket {
  readonly messages: ServerMessage[] = []
  readonly ws: WebSocket
  /** The status of a refusal, 101 otherwise. */
  status: number | null = null
  problem = ''
  closed: { code: number; reason: string } | null = null

  constructor(base: string, ticket: string, headers: Record<string, string> = {}) {
    this.ws = new WebSocket(`${base.replace('http', 'ws')}/api/v1/realtime?ticket=${ticket}`, { headers })
    this.ws.on('message', data => this.#take(String(data)))
    this.ws.on('open', () => {
      this.status = 101
    })
    this.ws.on('error', () => {})
    this.ws.on('close', (code, reason) => {
      this.closed = { code, reason: String(reason) }
    })
    this.ws.on('unexpected-response', (_request, answer) => {
      this.status = answer.statusCode as number
      answer.on('data', chunk => {
        this.problem += String(chunk)
      })
      answer.on('end', () => this.ws.terminate())
    })
  }

  get events(): Told[] {
    return this.messages.filter(message => message.type === 'event')
  }

  get targets(): string[] {
    return this.events.map(({ event }) => (event as unknown as { target: { id: string } }).target.id)
  }

  /** The last place seen in a topic. */
  cursorOf(topic: string): string | undefined {
    const last = this.messages.findLast(message => 'cursor' in message && message.topic === topic)
    return (last as Told | undefined)?.cursor
  }

  send(message: object): void {
    this.ws.send(JSON.stringify(message))
  }

  /** The first message of this type, once it has come. */
  got<T extends ServerMessage['type']>(type: T, nth = 1): Promise<Extract<ServerMessage, { type: T }>> {
    return eventually(async () => this.messages.filter(message => message.type === type)[nth - 1], type) as never
  }

  async subscribe(topic: string, after?: string): Promise<void> {
    const before = this.messages.filter(({ type }) => type === 'subscribed').length
    this.send({ type: 'subscribe', topic, ...(after === undefined ? {} : { after }) })
    await this.got('subscribed', before + 1)
  }

  has(count: number): Promise<boolean> {
    return eventually(async () => this.events.length >= count, `${count} events, not ${this.events.length}`)
  }

  settled(): Promise<unknown> {
    return eventually(async () => this.status !== null && (this.status === 101 || this.problem), 'an answer')
  }

  /** How many milliseconds later it was closed; Infinity when it was not within `boundMs`. */
  async closesWithin(boundMs: number): Promise<number> {
    const begun = performance.now()
    while (this.closed === null && performance.now() - begun < boundMs) await sleep(10)
    return this.closed === null ? Infinity : performance.now() - begun
  }

  #take(text: string): void {
    const message: unknown = JSON.parse(text)
    if (!isServerMessage(message)) throw new Error(`no message of the document: ${text}`)
    this.messages.push(message)
  }
}

interface Opening {
  app: FastifyInstance
  base: string
  as: Credentials
}

/** An open socket of somebody. */
export async function openSocket(
  t: { teardown(done: () => void): void },
  { app, base, as }: Opening,
): Promise<RawSocket> {
  const socket = new RawSocket(base, await ticketFor(app, as))
  t.teardown(() => socket.ws.terminate())
  await socket.got('welcome')
  return socket
}
