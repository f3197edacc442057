import type { Transaction } from '../database/client.ts'

/** How a job is repeated: exponential backoff with jitter between attempts, then the dead-letter queue. */
export interface Retry {
  limit: number
  delaySeconds: number
  maxDelaySeconds: number
}

const DEFAULT_RETRY: Retry = { limit: 10, delaySeconds: 2, maxDelaySeconds: 3600 }
/** Past this the worker is taken for dead and the job is given to another. */
const DEFAULT_EXPIRE_SECONDS = 60

/** A kind of job. `Payload` is JSON and holds no secret: it outlives the job in the database. */
export interface Job<Payload extends object> {
  readonly name: string
  readonly retry: Retry
  readonly expireSeconds: number
  /** Only in the type. */
  readonly payload?: Payload
}

export interface JobContext {
  /** W3C trace context of the request that enqueued the job. */
  traceparent: string | null
}

/** Runs inside the transaction that completes the job: its effects on the database happen exactly once. */
export type TransactionalHandler<Payload> = (payload: Payload, tx: Transaction, context: JobContext) => Promise<void>
/** For what is not in the database: at least once. */
export type Handler<Payload> = (payload: Payload, context: JobContext) => Promise<void>

export const defineJob = <Payload extends object>(
  name: string,
  options: { retry?: Partial<Retry>; expireSeconds?: number } = {},
): Job<Payload> => ({
  name,
  retry: { ...DEFAULT_RETRY, ...options.retry },
  expireSeconds: options.expireSeconds ?? DEFAULT_EXPIRE_SECONDS,
})
