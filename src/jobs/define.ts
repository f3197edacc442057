import type { Transaction } from '../database/client.ts'

/** How a failed job is retried: exponential backoff with jitter, then the dead-letter queue. */
export interface Retry {
  limit: number
  delaySeconds: number
  maxDelaySeconds: number
}

const DEFAULT_RETRY: Retry = { limit: 10, delaySeconds: 2, maxDelaySeconds: 3600 }
/** After this time the worker counts as dead and another one gets the job. */
const DEFAULT_EXPIRE_SECONDS = 60

/** A kind of job. `Payload` is JSON and must not contain a secret, because it stays in the database after the job. */
export interface Job<Payload extends object> {
  readonly name: string
  readonly retry: Retry
  readonly expireSeconds: number
  /** Exists only in the type. */
  readonly payload?: Payload
}

export interface JobContext {
  /** W3C trace context of the request that enqueued the job. */
  traceparent: string | null
}

/** Runs inside the transaction that completes the job, so its changes to the database happen exactly once. */
export type TransactionalHandler<Payload> = (payload: Payload, tx: Transaction, context: JobContext) => Promise<void>
/** For effects outside the database; runs at least once. */
export type Handler<Payload> = (payload: Payload, context: JobContext) => Promise<void>

export const defineJob = <Payload extends object>(
  name: string,
  options: { retry?: Partial<Retry>; expireSeconds?: number } = {},
): Job<Payload> => ({
  name,
  retry: { ...DEFAULT_RETRY, ...options.retry },
  expireSeconds: options.expireSeconds ?? DEFAULT_EXPIRE_SECONDS,
})
