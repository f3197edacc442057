export interface OutboundRequest {
  /** The purpose, as a label in the metrics: `webhook`. */
  target: string
  url: string
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  headers?: Record<string, string>
  body?: string | Buffer
  /** The limit of one attempt, from resolving the name to the last byte read. */
  timeoutMs: number
  /** The limit of the response body; the rest is not read. */
  maxBytes: number
  /** W3C trace context of what causes the request, which goes on with a span of its own. */
  traceparent?: string | undefined
  /** Only for requests that may be executed twice. */
  retry?: { attempts: number }
}

export interface OutboundAnswer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
  /** Whether the body is longer than `maxBytes`. */
  truncated: boolean
  /** The duration of the last attempt. */
  durationMs: number
}

/** A request whose response is read as it comes. */
export interface StreamRequest extends Pick<OutboundRequest, 'target' | 'url' | 'method'> {
  headers: Record<string, string>
  body: string
  /** Ends the request, also while its body is read. */
  signal: AbortSignal
  /** The longest time until the response begins, and between two parts of its body. */
  silenceMs: number
}

export interface OutboundStream extends Pick<OutboundAnswer, 'status' | 'headers'> {
  /** Throws `OutboundError`, or the reason of the signal. */
  body: AsyncIterable<Buffer>
}
