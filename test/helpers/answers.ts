import { type IncomingMessage, request } from 'node:http'
import type { Credentials } from './call.ts'
import { eventually } from './mail.ts'

type Json = ReturnType<typeof JSON.parse>

interface Opening {
  as: Credentials
  body?: object
  headers?: Record<string, string>
}

/** Reads the stream of an answer over a real connection. */
export class AnswerClient {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly events: { id: string; event: string; data: Json }[] = []
  lastEventId = ''
  /** Whether the response ended or was cut off; null while it is open. */
  ending: 'complete' | 'cut' | null = null
  /** The whole body, if it is no stream. */
  text = ''
  readonly leave: () => void
  readonly pause: () => void
  #rest = ''

  private constructor(answer: IncomingMessage) {
    this.status = answer.statusCode as number
    this.headers = answer.headers
    this.leave = () => answer.destroy()
    this.pause = () => void answer.pause()
    answer.setEncoding('utf8').on('data', chunk => this.#take(chunk))
    answer.on('error', () => {})
    answer.on('close', () => {
      this.ending = answer.complete ? 'complete' : 'cut'
    })
  }

  /** Sends `POST /chats/…/messages` or `GET /chats/…/stream` to the server at `base`. */
  static open(base: string, operation: string, { as, body, headers }: Opening): Promise<AnswerClient> {
    const [method, path] = operation.split(' ') as [string, string]
    const json = body === undefined ? {} : { 'content-type': 'application/json' }
    return new Promise((resolve, reject) => {
      const options = { method, agent: false as const, headers: { ...as.headers, ...json, ...headers } }
      const sent = request(`${base}/api/v1${path}`, options, answer => resolve(new AnswerClient(answer)))
      sent.on('error', reject).end(body === undefined ? undefined : JSON.stringify(body))
    })
  }

  /** The text of all events so far. */
  get said(): string {
    return this.of('delta').reduce((text, { data }) => text + data.text, '')
  }

  of(event: string) {
    return this.events.filter(each => each.event === event)
  }

  /** Waits for the event that ends the stream; returns it when the response has ended too. */
  async last(): Promise<{ event: string; data: Json }> {
    await eventually(async () => this.ending !== null, `the end of the stream, after ${JSON.stringify(this.events)}`)
    return this.events.at(-1) ?? { event: 'none', data: null }
  }

  #take(chunk: string): void {
    this.text += chunk
    const blocks = (this.#rest + chunk).split('\n\n')
    this.#rest = blocks.pop() as string
    for (const block of blocks) {
      const { id, event, data } = Object.fromEntries(block.split('\n').map(line => line.split(/: ?(.*)/s, 2)))
      if (id !== undefined) this.lastEventId = id
      if (data !== undefined) this.events.push({ id, event, data: JSON.parse(data) })
    }
  }
}
