import { type Job as EnvelopeJob, PgBoss } from 'pg-boss'
import { BATCH_ROWS } from '../database/batches.ts'
import type { Transaction } from '../database/client.ts'
import type { Tracing } from '../lib/tracing.ts'
import { JobConnections, type JobConnectionsOptions, type JobDatabase, joining } from './connection.ts'
import type { Handler, Job, JobContext, TransactionalHandler } from './define.ts'

const POLL_SECONDS = 1
/** How long running jobs may take at shutdown; a job that is cut off runs again elsewhere. */
const STOP_TIMEOUT_MS = 10_000
/** How often to look for jobs whose worker died: they run again at most this long after they expire. */
const SUPERVISE_SECONDS = 10
const DEAD_LETTERS = 'dead-letters'

interface Envelope {
  payload: object
  traceparent: string | null
}
type Work = (boss: PgBoss) => Promise<unknown>

interface JobsOptions extends JobConnectionsOptions {
  works: boolean
}

/** Wraps the job library; no other file imports it. */
export class Jobs {
  readonly #connections: JobConnections
  readonly #boss: PgBoss
  readonly #tracing: Tracing | null
  readonly #known = new Map<string, Job<object>>()
  readonly #work: Work[] = []
  readonly #schedules = new Map<string, { cron: string; payload: object }>()

  constructor(url: string, { works, ...options }: JobsOptions) {
    const { log, tracing = null } = options
    this.#tracing = tracing
    this.#connections = new JobConnections(url, options)
    this.#boss = new PgBoss({
      db: this.#connections,
      supervise: works,
      superviseIntervalSeconds: SUPERVISE_SECONDS,
      monitorIntervalSeconds: SUPERVISE_SECONDS,
      schedule: works,
      schema: 'jobs',
    })
    this.#boss.on('error', error => log.warn({ reason: error.message }, 'job queue'))
  }

  /** Runs `handler` for each job, in the transaction that completes the job. */
  handle<P extends object>(job: Job<P>, handler: TransactionalHandler<P>): void {
    this.#known.set(job.name, job)
    this.#work.push(async boss => {
      let worker = ''
      const options = { transactional: true, pollingIntervalSeconds: POLL_SECONDS } as const
      worker = await boss.work(job.name, options, async ([next]: EnvelopeJob<Envelope>[], db) => {
        const { transaction } = db as JobDatabase
        try {
          if (next && transaction)
            await this.#recorded(next, context => handler(next.data.payload as P, transaction, context))
        } finally {
          // Fetches the next job at once: polling alone would do one job a second. One that fails keeps no other waiting.
          boss.notifyWorker(worker)
        }
      })
    })
  }

  /** Runs `handler` outside a transaction, for effects outside the database; it may get a job twice. */
  handleOutside<P extends object>(job: Job<P>, handler: Handler<P>): void {
    this.#known.set(job.name, job)
    this.#work.push(async boss => {
      let worker = ''
      worker = await boss.work<Envelope>(job.name, { pollingIntervalSeconds: POLL_SECONDS }, async ([next]) => {
        try {
          if (next) await this.#recorded(next, context => handler(next.data.payload as P, context))
        } finally {
          boss.notifyWorker(worker)
        }
      })
    })
  }

  /** Runs a job as a span of the trace that has enqueued it. */
  async #recorded(
    { name, id, data }: EnvelopeJob<Envelope>,
    work: (context: JobContext) => Promise<void>,
  ): Promise<void> {
    if (!this.#tracing) return work(data)
    const attributes = { 'messaging.destination.name': name, 'messaging.message.id': id }
    const options = { kind: 'consumer', attributes, parent: data.traceparent } as const
    await this.#tracing.span(`job ${name}`, options, ({ traceparent }) => work({ traceparent }))
  }

  /**
   * Deletes what is old, by cron expression: `remove` deletes one batch and returns how many rows. While batches are full,
   * the next follows in a transaction of its own, so no lock is held for long.
   */
  sweep(job: Job<Record<string, never>>, cron: string, remove: (tx: Transaction) => Promise<number>): void {
    this.handle(job, async (_payload, tx) => {
      if ((await remove(tx)) >= BATCH_ROWS) await this.enqueue(tx, job, {})
    })
    this.schedule(job, cron, {})
  }

  /** Runs `job` by cron expression (UTC), once for all nodes. */
  schedule<P extends object>(job: Job<P>, cron: string, payload: P): void {
    this.#schedules.set(job.name, { cron, payload })
  }

  /** Whether a job with this name is run by cron. */
  isScheduled(name: string): boolean {
    return this.#schedules.has(name)
  }

  /** Adds a job that is otherwise run by cron. */
  async runNow(tx: Transaction, name: string, traceparent: string | null): Promise<void> {
    const job = this.#known.get(name)
    const schedule = this.#schedules.get(name)
    if (job && schedule) await this.enqueue(tx, job, schedule.payload, traceparent)
  }

  /** Adds a job; it exists only if `tx` commits. It starts at `startAfter`, an ISO 8601 time, or at once. */
  async enqueue<P extends object>(
    tx: Transaction,
    job: Job<P>,
    payload: P,
    traceparent: string | null = null,
    { startAfter }: { startAfter?: string } = {},
  ) {
    const options = { db: joining(tx), ...(startAfter === undefined ? {} : { startAfter: new Date(startAfter) }) }
    await this.#boss.send(job.name, { payload, traceparent } satisfies Envelope, options)
  }

  async start({ works }: { works: boolean }): Promise<void> {
    await this.#boss.start()
    await this.#boss.createQueue(DEAD_LETTERS)
    for (const { name, retry, expireSeconds } of this.#known.values()) {
      const options = {
        retryLimit: retry.limit,
        retryDelay: retry.delaySeconds,
        retryDelayMax: retry.maxDelaySeconds,
        retryBackoff: true,
        expireInSeconds: expireSeconds,
        deadLetter: DEAD_LETTERS,
      }
      await this.#boss.createQueue(name, options)
      await this.#boss.updateQueue(name, options)
    }
    await this.#storeSchedules()
    if (works) for (const work of this.#work) await work(this.#boss)
  }

  /** Every process stores what has changed, so that the schedules are known before a worker starts. */
  async #storeSchedules(): Promise<void> {
    const stored = new Map((await this.#boss.getSchedules()).map(({ name, cron }) => [name, cron]))
    for (const [name, { cron, payload }] of this.#schedules)
      if (stored.get(name) !== cron)
        await this.#boss.schedule(name, cron, { payload, traceparent: null } satisfies Envelope)
  }

  async stop(): Promise<void> {
    await this.#boss.stop({ graceful: true, timeout: STOP_TIMEOUT_MS })
    await this.#connections.close()
  }
}
