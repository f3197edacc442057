export type SpanKind = 'server' | 'client' | 'consumer' | 'internal'

export interface SpanOptions {
  kind: SpanKind
  attributes?: Record<string, string | number>
  /** W3C trace context of the cause; by default, the span in which the caller runs. */
  parent?: string | null | undefined
}

/** A span that has begun. */
export interface Span {
  /** W3C trace context, for what the span causes elsewhere. */
  readonly traceparent: string
  /** Runs `work` so that spans which begin in it, also later, belong to this one. */
  within<Result>(work: () => Result): Result
  /** Says how it went; only names and numbers, never what a caller has sent. */
  end(attributes: Record<string, string | number>, failed: boolean): void
}

/** Records where time goes. Its implementation is a library that is loaded only where somebody collects spans. */
export interface Tracing {
  /** Whether the span in which the caller runs is recorded. */
  readonly isRecording: boolean
  begin(name: string, options: SpanOptions): Span
  /** Runs `work` as a span, which has failed when it throws. */
  span<Result>(name: string, options: SpanOptions, work: (span: Span) => Promise<Result>): Promise<Result>
  /** Sends what is left, in a bounded time. Never throws. */
  stop(): Promise<void>
}
