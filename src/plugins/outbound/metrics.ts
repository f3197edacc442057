import { Counter, Histogram, type Registry } from 'prom-client'
import type { Observe } from './client.ts'

const BUCKETS_SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30]

/** Counts attempts by outcome: `2xx` to `5xx`, or the kind of the error. */
export function observer(registry: Registry): Observe {
  const requests = new Counter({
    name: 'outbound_requests_total',
    help: 'Attempts of outgoing requests, by the class of the status or the kind of the error.',
    labelNames: ['target', 'outcome'],
    registers: [registry],
  })
  const durations = new Histogram({
    name: 'outbound_request_duration_seconds',
    help: 'Of an attempt, from the name to the end of what is read of the answer.',
    labelNames: ['target'],
    buckets: BUCKETS_SECONDS,
    registers: [registry],
  })
  return (target, outcome, durationMs) => {
    requests.inc({ target, outcome })
    durations.observe({ target }, durationMs / 1000)
  }
}
