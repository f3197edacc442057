import { createRequire } from 'node:module'
import type { FastifyBaseLogger } from 'fastify'
import type { Redis } from 'ioredis'

/** The most counters kept in each limiter; then the least recently used are dropped. */
const TRACKED = 50_000
/** How often to ask whether Redis is back. */
const PROBE_MS = 500
const PROBE = 'probe'
const PREFIX = 'lintel:limit:'

export interface Limit {
  policy: string
  /** Requests in one window. */
  max: number
  windowMs: number
}
export interface Count {
  current: number
  /** Milliseconds left in the window. */
  ttl: number
}

/** Counts one request of `key` and calls `answer`, synchronously unless the count is shared. */
export type Counter = (key: string, limit: Limit, answer: (count: Count) => void) => void
/** Makes a counter; `name` keeps its keys apart from those of others. */
export type Counters = (name: string) => Counter

/** A store of the library: fixed windows. */
interface Store<Failure> {
  incr(key: string, answer: (error: Failure, count: Count) => void, windowMs: number, max: number): void
}
const require = createRequire(import.meta.url)
const LocalStore: new (continueExceeding: boolean, exponentialBackoff: boolean, tracked: number) => Store<null> =
  require('@fastify/rate-limit/store/LocalStore.js')
const RedisStore: new (
  continueExceeding: boolean,
  exponentialBackoff: boolean,
  redis: Redis,
  prefix: string,
) => Store<Error | null> = require('@fastify/rate-limit/store/RedisStore.js')

/**
 * Counters of this process, on the library's store. The library's own handler makes four promises for each limiter and
 * request, 8 % of a read by id; its store needs none.
 */
export const localCounters: Counters = () => {
  const store = new LocalStore(false, false, TRACKED)
  return (key, { max, windowMs }, answer) => store.incr(key, (_, count) => answer(count), windowMs, max)
}

/**
 * Counters that all processes share. While Redis fails each process counts for itself, and requests do not ask Redis: a
 * probe does, so that they never wait for one that is silent.
 */
export class SharedCounters {
  available = true
  readonly #redis: Redis
  readonly #log: FastifyBaseLogger
  #probing: NodeJS.Timeout | undefined

  constructor(redis: Redis, log: FastifyBaseLogger) {
    this.#redis = redis
    this.#log = log
  }

  readonly of: Counters = name => {
    const local = localCounters(name)
    const store = new RedisStore(false, false, this.#redis, `${PREFIX}${name}:`)
    return (key, limit, answer) => {
      if (!this.available) {
        local(key, limit, answer)
        return
      }
      const counted = (error: Error | null, count: Count) => {
        if (error) {
          this.#fail(error)
          local(key, limit, answer)
        } else answer(count)
      }
      store.incr(key, counted, limit.windowMs, limit.max)
    }
  }

  close(): void {
    clearInterval(this.#probing)
  }

  #fail({ message }: Error): void {
    if (!this.available) return
    this.available = false
    this.#log.warn({ reason: message }, 'Redis fails, each node counts rate limits for itself')
    // Counts, as a request does: a Redis without memory answers other commands.
    const store = new RedisStore(false, false, this.#redis, PREFIX)
    this.#probing = setInterval(() => store.incr(PROBE, error => error || this.#recover(), PROBE_MS, 1), PROBE_MS)
    this.#probing.unref()
  }

  #recover(): void {
    if (this.available) return
    clearInterval(this.#probing)
    this.available = true
    this.#log.info('Redis is back, rate limits are shared again')
  }
}
