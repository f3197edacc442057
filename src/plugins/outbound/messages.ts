export interface OutboundRequest {
  /** What it is for, in the metrics: `webhook`. */
  target: string
  url: string
  method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
  headers?: Record<string, string>
  body?: string | Buffer
  /** Of a whole attempt, from the name to the last byte that is read. */
  timeoutMs: number
  /** Of the answer's body; what is beyond is not read. */
  maxBytes: number
  traceparent?: string | undefined
  /** Only where it may happen twice. */
  retry?: { attempts: number }
}

export interface OutboundAnswer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
  /** Whether the body goes on beyond `maxBytes`. */
  truncated: boolean
  /** Of the last attempt. */
  durationMs: number
}
