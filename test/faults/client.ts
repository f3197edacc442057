import { once } from 'node:events'
import { Agent, type IncomingHttpHeaders, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'

/** A request without a response after this time counts as never answered. */
const UNSETTLED_MS = 20_000
const SERVED_BOUND_MS = 15_000
const POLL_MS = 5
const INSIST_MS = 90_000
const DEFAULT_PAUSE_MS = 50

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  body: string
  ms: number
}

export interface Call {
  method: 'GET' | 'POST' | 'PATCH'
  path: string
  body?: object
  key?: string
}

/** A keep-alive client that counts every outcome, also broken connections. */
export class Client {
  readonly outcomes = new Map<string, number>()
  slowestMs = 0
  slowest = ''
  /** The last 503, which says why. */
  refusal = ''
  /** The number of 503 and 409 responses without Retry-After. */
  withoutRetryAfter = 0
  /** The number of refusals with a Location, although the row was rolled back. */
  withLocation = 0
  /** The number of responses that close the connection. */
  toldToLeave = 0
  base: string
  readonly #token: string
  readonly #agent: Agent

  constructor({ base, token, connections }: { base: string; token: string; connections: number }) {
    this.base = base
    this.#token = token
    this.#agent = new Agent({ keepAlive: true, maxSockets: connections, maxFreeSockets: connections })
  }

  /** Returns undefined when there was no response; the outcome is then the socket's error. */
  async call({ method, path, body, key }: Call): Promise<Answer | undefined> {
    const started = performance.now()
    const headers = {
      authorization: `Bearer ${this.#token}`,
      ...(body && { 'content-type': 'application/json' }),
      ...(key !== undefined && { 'idempotency-key': key }),
    }
    const signal = AbortSignal.timeout(UNSETTLED_MS)
    const sent = request(`${this.base}/api/v1${path}`, { method, headers, agent: this.#agent, signal })
    try {
      sent.end(body && JSON.stringify(body))
      const [response] = await once(sent, 'response')
      const answer = { status: response.statusCode, headers: response.headers, body: await text(response), ms: 0 }
      answer.ms = performance.now() - started
      if (answer.ms > this.slowestMs) this.slowest = `${method} ${path}${key ? ' with a key' : ''}: ${answer.body}`
      if (answer.status === 503) this.refusal = answer.body
      this.#count(answer)
      return answer
    } catch (error) {
      this.#add(signal.aborted ? 'unsettled' : `broken ${(error as NodeJS.ErrnoException).code}`)
      return undefined
    }
  }

  /** Repeats a temporary refusal, after `Retry-After` or `pauseMs`; only a call with a key may repeat a write. */
  async insist(call: Call, pauseMs = DEFAULT_PAUSE_MS): Promise<Answer> {
    const until = performance.now() + INSIST_MS
    while (performance.now() < until) {
      const answer = await this.call(call)
      if (answer && answer.status !== 409 && answer.status !== 503) return answer
      await sleep(pauseMs)
    }
    throw new Error(`${call.method} ${call.path} was refused for ${INSIST_MS} ms`)
  }

  /** Returns the time until reads and creates both succeed again: they use different connections. */
  async untilServed(): Promise<number> {
    const started = performance.now()
    const seen = (status: string) => this.outcomes.get(status) ?? 0
    const [reads, creates] = [seen('200'), seen('201')]
    while (seen('200') === reads || seen('201') === creates) {
      if (performance.now() - started > SERVED_BOUND_MS) break
      await sleep(POLL_MS)
    }
    return performance.now() - started
  }

  /** Returns the outcomes outside `expected`. */
  unexpected(...expected: number[]): string[] {
    const usual = new Set(expected.map(String))
    return [...this.outcomes].filter(([outcome]) => !usual.has(outcome)).map(pair => pair.join(': '))
  }

  get summary(): string {
    const counts = [...this.outcomes].map(([outcome, count]) => `${count} × ${outcome}`).join(', ')
    return `${counts}; slowest ${Math.round(this.slowestMs)} ms ${this.refusal}`.trimEnd()
  }

  close(): void {
    this.#agent.destroy()
  }

  #count({ status, headers, ms }: Answer): void {
    this.#add(String(status))
    this.slowestMs = Math.max(this.slowestMs, ms)
    if (headers.connection === 'close') this.toldToLeave++
    if (status === 503 && headers['retry-after'] === undefined) this.withoutRetryAfter++
    if (status >= 400 && headers.location !== undefined) this.withLocation++
    if (status === 409 && headers['retry-after'] !== '1') this.withoutRetryAfter++
  }

  #add(outcome: string): void {
    this.outcomes.set(outcome, (this.outcomes.get(outcome) ?? 0) + 1)
  }
}

/** Runs `count` loops of `work` at once until the returned function is called; it resolves when they have ended. */
export function keepBusy(count: number, work: () => Promise<unknown>): () => Promise<void> {
  let over = false
  const load = loop(count, () => over, work)
  return () => {
    over = true
    return load
  }
}

/** Runs `count` loops of `work` at once, until `isOver`. */
export async function loop(count: number, isOver: () => boolean, work: (worker: number) => Promise<unknown>) {
  await Promise.all(
    Array.from({ length: count }, async (_, worker) => {
      while (!isOver()) await work(worker)
    }),
  )
}
