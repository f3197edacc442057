import { get, type IncomingMessage } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Credentials } from './call.ts'
import { eventually } from './mail.ts'

export interface StreamedEvent {
  id: string
  event: string
  data: ReturnType<typeof JSON.parse>
}

interface Options {
  organizationId: string
  as: Credentials
  cursor?: string
  lastEventId?: string
}

/**
 * Reads a stream as an EventSource does (WHATWG HTML §9.2.6): an id takes effect at the empty line after it, with or
 * without data.
 */
export class EventStreamClient {
  readonly status: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly events: StreamedEvent[] = []
  /** The id that a reconnect would send. */
  lastEventId: string | undefined
  text = ''
  /** Whether the response ended or was cut off; null while it is open. */
  ending: 'complete' | 'cut' | null = null
  readonly leave: () => void
  #rest = ''

  private constructor(answer: IncomingMessage) {
    this.status = answer.statusCode as number
    this.headers = answer.headers
    this.leave = () => answer.destroy()
    answer.setEncoding('utf8').on('data', chunk => this.#take(chunk))
    answer.on('error', () => {})
    answer.on('close', () => {
      this.ending = answer.complete ? 'complete' : 'cut'
    })
  }

  static open(base: string, { organizationId, as, cursor, lastEventId }: Options): Promise<EventStreamClient> {
    const query = cursor === undefined ? '' : `?cursor=${cursor}`
    const url = `${base}/api/v1/organizations/${organizationId}/events/stream${query}`
    const headers = { ...as.headers, ...(lastEventId === undefined ? {} : { 'last-event-id': lastEventId }) }
    return new Promise((resolve, reject) => {
      get(url, { headers, agent: false }, answer => resolve(new EventStreamClient(answer))).on('error', reject)
    })
  }

  /** The target ids of the events so far. */
  get targets(): string[] {
    return this.events.map(({ data }) => data.target.id)
  }

  has(count: number): Promise<boolean> {
    return eventually(async () => this.events.length >= count, `${count} events, not ${this.events.length}`)
  }

  /** Returns after how many milliseconds the stream has ended; Infinity when it has not within `boundMs`. */
  async endsWithin(boundMs: number): Promise<number> {
    const begun = performance.now()
    while (this.ending === null && performance.now() - begun < boundMs) await sleep(10)
    return this.ending === null ? Infinity : performance.now() - begun
  }

  #take(chunk: string): void {
    this.text += chunk
    const blocks = (this.#rest + chunk).split('\n\n')
    this.#rest = blocks.pop() as string
    for (const block of blocks) this.#dispatch(block)
  }

  #dispatch(block: string): void {
    const fields = Object.fromEntries(block.split('\n').map(line => line.split(/: ?(.*)/s, 2)))
    if (fields.id !== undefined) this.lastEventId = fields.id
    if (fields.data === undefined) return
    this.events.push({ id: fields.id, event: fields.event, data: JSON.parse(fields.data) })
  }
}
