import { randomBytes } from 'node:crypto'

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/
const SPAN_BYTES = 8
const TRACE_BYTES = 16

/** Returns the trace of `cause`, a `traceparent`, with a new span, or a new trace (W3C Trace Context §3.2). */
export function continued(cause: unknown): string {
  const [, trace, flags] = (typeof cause === 'string' && TRACEPARENT.exec(cause)) || []
  const span = randomBytes(SPAN_BYTES).toString('hex')
  return `00-${trace ?? randomBytes(TRACE_BYTES).toString('hex')}-${span}-${flags ?? '00'}`
}
