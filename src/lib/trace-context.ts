import { randomBytes } from 'node:crypto'

const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/
const SPAN_BYTES = 8
const TRACE_BYTES = 16

/** What a `traceparent` names, in hexadecimal digits; undefined when it is none. */
export function partsOf(traceparent: unknown): { trace: string; span: string; flags: string } | undefined {
  const found = typeof traceparent === 'string' && TRACEPARENT.exec(traceparent)
  if (!found) return undefined
  const [, trace, span, flags] = found as unknown as [string, string, string, string]
  return { trace, span, flags }
}

/** Returns the trace of `cause`, a `traceparent`, with a new span, or a new trace (W3C Trace Context §3.2). */
export function continued(cause: unknown): string {
  const { trace = randomBytes(TRACE_BYTES).toString('hex'), flags = '00' } = partsOf(cause) ?? {}
  return `00-${trace}-${randomBytes(SPAN_BYTES).toString('hex')}-${flags}`
}
