import type { FastifyInstance } from 'fastify'
import { Counter, Gauge, Histogram } from 'prom-client'
import { findBacklogAge } from '../../queries/dispatch.ts'
import type { Outcome } from './outcome.ts'

const BUCKETS_SECONDS = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60, 600, 3_600, 86_400]

export interface Metrics {
  attempted(outcome: Outcome, dueAt: string | null): void
}

/** Counts attempts by what became of the delivery, and measures how long deliveries wait. */
export function dispatchMetrics({ metrics, database }: FastifyInstance): Metrics {
  const attempts = new Counter({
    name: 'webhook_attempts_total',
    help: 'Attempts of deliveries: delivered, pending (there will be another) or failed (there will be none).',
    labelNames: ['outcome'],
    registers: [metrics],
  })
  const waits = new Histogram({
    name: 'webhook_delivery_delay_seconds',
    help: 'Of deliveries that arrived, from when the attempt was due to its answer.',
    buckets: BUCKETS_SECONDS,
    registers: [metrics],
  })
  new Gauge({
    name: 'webhook_backlog_age_seconds',
    help: 'Since when the oldest delivery is due, of endpoints that are not broken.',
    registers: [metrics],
    async collect() {
      const [backlog] = await findBacklogAge(database, {}).catch(() => [])
      if (backlog) this.set(backlog.seconds)
    },
  })
  return {
    attempted({ state }, dueAt) {
      attempts.inc({ outcome: state })
      if (state === 'delivered' && dueAt !== null) waits.observe(Math.max(0, Date.now() - Date.parse(dueAt)) / 1000)
    },
  }
}
