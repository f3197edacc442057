import type { Config } from '../../src/config.ts'
import type { Received } from './webhooks.ts'

/** A span as a collector gets it (OTLP over HTTP, JSON). */
export interface CollectedSpan {
  name: string
  traceId: string
  spanId: string
  parentSpanId: string | undefined
  /** 1 internal, 2 server, 3 client, 5 consumer. */
  kind: number
  attributes: Record<string, string | number>
  failed: boolean
}

type Json = ReturnType<typeof JSON.parse>
const FAILED = 2

const attributesOf = (attributes: Json[]): Record<string, string | number> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]]))

/** The configuration of an app that records everything and sends it to `url`, which ends with a slash. */
export const tracingTo = (url: string): Pick<Config, 'tracing'> => ({
  tracing: { endpoint: url.slice(0, -1), serviceName: 'lintel-test', sampler: 'parentbased_always_on', ratio: 1 },
})

/** Returns the spans of all requests that a collector got. */
export const spansOf = (received: Received[]): CollectedSpan[] =>
  received
    .flatMap(({ body }) => JSON.parse(body).resourceSpans)
    .flatMap(({ scopeSpans }: Json) => scopeSpans)
    .flatMap(({ spans }: Json) => spans)
    .map(({ name, traceId, spanId, parentSpanId, kind, attributes, status }: Json) => ({
      name,
      traceId,
      spanId,
      parentSpanId: parentSpanId || undefined,
      kind,
      attributes: attributesOf(attributes),
      failed: status.code === FAILED,
    }))
