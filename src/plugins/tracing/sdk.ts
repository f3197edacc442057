import { context, ROOT_CONTEXT, type Span as SdkSpan, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import type { Log } from '../../database/log.ts'
import { partsOf } from '../../lib/trace-context.ts'
import type { Span, SpanOptions, Tracing } from '../../lib/tracing.ts'

export interface TracingOptions {
  /** The base URL of the collector. */
  endpoint: string
  serviceName: string
  sampler: string
  /** The share of traces that a sampler by ratio records, 0 to 1. */
  ratio: number
}

/** A stop does not wait longer for a collector that is away. */
const STOP_MS = 2_000
const KINDS = {
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  consumer: SpanKind.CONSUMER,
  internal: SpanKind.INTERNAL,
}

/** The samplers of the OpenTelemetry specification, "General SDK Configuration". */
function samplerOf({ sampler, ratio }: TracingOptions): Sampler {
  const [, parentBased, name] = /^(parentbased_)?(.+)$/.exec(sampler) as unknown as [string, string | undefined, string]
  const root = { always_off: new AlwaysOffSampler(), traceidratio: new TraceIdRatioBasedSampler(ratio) }[name]
  const chosen = root ?? new AlwaysOnSampler()
  return parentBased ? new ParentBasedSampler({ root: chosen }) : chosen
}

/** Returns the context that a W3C trace context names. */
function contextOf(traceparent: string) {
  const parts = partsOf(traceparent)
  if (!parts) return ROOT_CONTEXT
  const traceFlags = Number.parseInt(parts.flags, 16)
  return trace.setSpanContext(ROOT_CONTEXT, { traceId: parts.trace, spanId: parts.span, traceFlags, isRemote: true })
}

/** Sends spans to the collector; headers and the like come from the standard variables `OTEL_EXPORTER_OTLP_…`. */
export function startTracing(options: TracingOptions, log: Log): Tracing {
  context.setGlobalContextManager(new AsyncLocalStorageContextManager())
  const exporter = new OTLPTraceExporter({ url: `${options.endpoint}/v1/traces` })
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': options.serviceName }))
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: samplerOf(options),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  })
  const tracer = provider.getTracer('lintel')

  const begin = (name: string, { kind, attributes = {}, parent }: SpanOptions): Span => {
    const from = parent ? contextOf(parent) : context.active()
    const span = tracer.startSpan(name, { kind: KINDS[kind], attributes }, from)
    return spanOf(span, trace.setSpan(from, span))
  }
  return {
    begin,
    get isRecording() {
      return trace.getActiveSpan()?.isRecording() ?? false
    },
    async span(name, options, work) {
      const span = begin(name, options)
      try {
        const result = await span.within(() => work(span))
        span.end({}, false)
        return result
      } catch (error) {
        span.end({ 'error.type': (error as { code?: string }).code ?? (error as Error).name }, true)
        throw error
      }
    },
    async stop() {
      const late = new Promise<void>(resolve => setTimeout(resolve, STOP_MS).unref())
      const stopped = provider.shutdown().catch(error => log.warn({ reason: error.message }, 'spans were lost'))
      await Promise.race([stopped, late])
    },
  }
}

function spanOf(span: SdkSpan, within: ReturnType<typeof context.active>): Span {
  return {
    get traceparent() {
      const { traceId, spanId, traceFlags } = span.spanContext()
      return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
    },
    within: work => context.with(within, work),
    end(attributes, failed) {
      span.setAttributes(attributes)
      if (failed) span.setStatus({ code: SpanStatusCode.ERROR })
      span.end()
    },
  }
}
