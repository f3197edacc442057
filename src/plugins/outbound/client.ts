import { setTimeout as sleep } from 'node:timers/promises'
import type { Dispatcher } from 'undici'
import { AllowList } from '../../lib/allow-list.ts'
import { continued } from '../../lib/trace-context.ts'
import type { Tracing } from '../../lib/tracing.ts'
import { type DestinationRules, destinationOf, portOf } from './destination.ts'
import { asOutboundError, OutboundError } from './errors.ts'
import { type Fetch, fetchBy } from './fetch.ts'
import type { OutboundAnswer, OutboundRequest, OutboundStream, StreamRequest } from './messages.ts'
import { mayRepeat, waitBefore } from './repeat.ts'

interface Observers {
  observe?: Observe
  /** Null where nobody collects spans. */
  tracing?: Tracing | null
}

export type Observe = (target: string, outcome: string, durationMs: number) => void

/** Creates the guarded agent; `connections` to one origin, where it is not the usual number. */
type OpenAgent = (allow: AllowList, connections?: number) => Promise<Dispatcher>

/** The longest pause between two parts of a body. */
const SILENCE_MS = 10_000

/**
 * All outgoing HTTP requests of Lintel go through this client. It uses no proxy, follows no redirect and keeps no
 * cookie.
 */
export class OutboundClient {
  readonly #rules: DestinationRules
  readonly #open: OpenAgent
  readonly #observers: Observers
  readonly #closing = new AbortController()
  #agent: Promise<Dispatcher> | undefined

  /** `open` creates the guarded agent on the first request. */
  constructor(rules: DestinationRules, open: OpenAgent, observers: Observers = {}) {
    this.#rules = rules
    this.#open = open
    this.#observers = observers
  }

  /**
   * Returns the URL in normal form. Throws `OutboundError` for one that can never be requested: call it before the URL
   * is stored.
   */
  check(url: string): string {
    return destinationOf(url, this.#rules).href
  }

  /** Returns the response, whatever its status, also a redirect. Throws `OutboundError` when there is none. */
  async request(request: OutboundRequest): Promise<OutboundAnswer> {
    const attempts = request.retry?.attempts ?? 1
    for (let attempt = 1; ; attempt += 1) {
      const outcome = await this.#attempt(request).catch((error: unknown) => error as Error)
      const waitMs = attempt < attempts && mayRepeat(outcome) ? waitBefore(attempt, outcome) : undefined
      if (waitMs === undefined || !(await this.#wait(waitMs))) {
        if (outcome instanceof Error) throw outcome
        return outcome
      }
    }
  }

  /**
   * Returns a client that also reaches a URL of the operator's configuration, with so many connections. Never pass it a
   * URL that a tenant has given.
   */
  trusting(url: string, connections: number): OutboundClient {
    const { hostname, port, protocol } = new URL(url)
    const allow = new AllowList([`${hostname}:${portOf({ port, protocol })}`])
    return new OutboundClient({ ...this.#rules, allow }, () => this.#open(allow, connections), this.#observers)
  }

  /** As `request`, but the body is read as it comes. Leaving it unread closes the connection. */
  async stream(request: StreamRequest): Promise<OutboundStream> {
    const started = performance.now()
    const observe = (outcome: string) => this.#observers.observe?.(request.target, outcome, performance.now() - started)
    try {
      const { statusCode: status, headers, body } = await this.#dispatch(request)
      observe(`${Math.floor(status / 100)}xx`)
      return { status, headers, body: mapped(body, request.signal) }
    } catch (thrown) {
      const error = failureOf(thrown, request.signal)
      observe(error instanceof OutboundError ? error.kind : 'fault')
      throw error
    }
  }

  async #dispatch({ url, method, headers, body, signal, silenceMs }: StreamRequest): Promise<Dispatcher.ResponseData> {
    const { origin, pathname, search } = destinationOf(url, this.#rules)
    this.#agent ??= this.#open(this.#rules.allow)
    return (await this.#agent).request({
      origin,
      path: pathname + search,
      method,
      headers: headersOf({ headers }),
      body,
      signal: AbortSignal.any([signal, this.#closing.signal]),
      headersTimeout: silenceMs,
      bodyTimeout: silenceMs,
    })
  }

  /** For a library that wants a `fetch`. */
  fetch(bounds: Pick<OutboundRequest, 'target' | 'timeoutMs' | 'maxBytes'>): Fetch {
    return fetchBy(request => this.request(request), bounds)
  }

  /** Ends what is still under way: whoever closes has waited for the jobs and requests that ask. */
  async close(): Promise<void> {
    this.#closing.abort()
    await (await this.#agent)?.destroy()
  }

  /** Resolves with false when the client is closed in the meantime. */
  #wait(ms: number): Promise<boolean> {
    return sleep(ms, true, { signal: this.#closing.signal }).catch(() => false)
  }

  /** Sends a request as a span, whose trace the receiver may go on with. */
  async #attempt({ traceparent: parent, ...request }: OutboundRequest): Promise<OutboundAnswer> {
    const { tracing } = this.#observers
    if (!tracing) return this.#observed(parent ? { ...request, traceparent: continued(parent) } : request)
    const { method, target, url } = request
    const attributes = { 'http.request.method': method, 'server.address': new URL(url).hostname }
    return tracing.span(`${method} ${target}`, { kind: 'client', attributes, parent }, ({ traceparent }) =>
      this.#observed({ ...request, traceparent }),
    )
  }

  async #observed(request: OutboundRequest): Promise<OutboundAnswer> {
    const started = performance.now()
    let outcome = 'fault'
    try {
      const answer = await this.#send(request)
      outcome = `${Math.floor(answer.status / 100)}xx`
      return { ...answer, durationMs: performance.now() - started }
    } catch (thrown) {
      const error = asOutboundError(thrown)
      if (error instanceof OutboundError) outcome = error.kind
      throw error
    } finally {
      this.#observers.observe?.(request.target, outcome, performance.now() - started)
    }
  }

  async #send(request: OutboundRequest): Promise<Omit<OutboundAnswer, 'durationMs'>> {
    const { timeoutMs, maxBytes } = request
    if (this.#closing.signal.aborted) throw new OutboundError('reset', 'this service is stopping')
    const { origin, pathname, search } = destinationOf(request.url, this.#rules)
    const abort = new AbortController()
    const late = () => abort.abort(new OutboundError('timeout', `no complete answer within ${timeoutMs / 1000} s`))
    const timer = setTimeout(late, timeoutMs)
    try {
      this.#agent ??= this.#open(this.#rules.allow)
      const agent = await this.#agent
      const { statusCode, headers, body } = await agent.request({
        origin,
        path: pathname + search,
        method: request.method,
        headers: headersOf(request),
        body: request.body ?? null,
        signal: abort.signal,
        headersTimeout: timeoutMs,
        bodyTimeout: Math.min(timeoutMs, SILENCE_MS),
      })
      return { status: statusCode, headers, ...(await read(body, maxBytes)) }
    } catch (error) {
      throw abort.signal.aborted ? abort.signal.reason : error
    } finally {
      clearTimeout(timer)
    }
  }
}

/** The caller's own abort is no failure of the other side. */
const failureOf = (thrown: unknown, signal: AbortSignal): unknown =>
  signal.aborted ? signal.reason : asOutboundError(thrown)

async function* mapped(body: AsyncIterable<Buffer>, signal: AbortSignal): AsyncGenerator<Buffer> {
  try {
    yield* body
  } catch (thrown) {
    throw failureOf(thrown, signal)
  }
}

const headersOf = ({
  headers,
  traceparent,
}: Pick<OutboundRequest, 'headers' | 'traceparent'>): Record<string, string> => ({
  'user-agent': 'Lintel',
  ...headers,
  ...(traceparent === undefined ? {} : { traceparent }),
})

/** Reads up to `maxBytes`. Leaving the rest unread closes the connection. */
async function read(stream: Dispatcher.ResponseData['body'], maxBytes: number) {
  const chunks: Buffer[] = []
  let size = 0
  // Leaving the stream early raises an error on it, which concerns nobody.
  stream.on('error', () => {})
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    size += chunk.length
    if (size > maxBytes) break
  }
  return { body: Buffer.concat(chunks, Math.min(size, maxBytes)), truncated: size > maxBytes }
}
