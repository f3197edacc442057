import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { LRUCache } from 'lru-cache'
import { Counter } from 'prom-client'
import { RECORDED } from '../events/record.ts'

declare module 'fastify' {
  interface FastifyInstance {
    cache: Cache
  }
}

/** The most values of each kind; then the least recently used are dropped. */
const MOST = 1_000
/** A signal names up to this many rows; of more, everything of their kind is dropped. */
const NAMED = 100
const TOPIC = 'cache'

interface Cached<Input, Value> {
  name: string
  keyOf(input: Input): string
  /** Must read from the primary: a replica may not have the change that an event has just told of. */
  load(input: Input): Promise<Value | undefined>
  /** The target of the events that change one value; the id of the row is its key. */
  of?: string
  /** Targets of events that may change any of the values. */
  changedBy?: readonly string[]
  /** The longest time (ms) of a value, where it is shorter than that of the cache. */
  maxMs?: number
}

interface Kept<Value> {
  value: Value | undefined
}

interface Entries {
  of: string | undefined
  changedBy: readonly string[]
  values: Pick<LRUCache<string, Kept<unknown>>, 'delete' | 'clear'>
}

/**
 * Values that this process keeps for some time: for rows that are read often and written rarely. Concurrent callers of
 * one value wait for one look. An event of a row drops its value, in this process before the change is answered and in
 * the others by a signal; one that is lost leaves the old value until its time is over.
 */
class Cache {
  readonly #ttlMs: number
  readonly #lookUps: Counter
  readonly #kinds: Entries[] = []

  constructor(ttlMs: number, lookUps: Counter) {
    this.#ttlMs = ttlMs
    this.#lookUps = lookUps
  }

  get isOn(): boolean {
    return this.#ttlMs > 0
  }

  /** Returns a function that finds a value; without a cache it is `load`. Callers share the value: do not change it. */
  define<Input, Value>(kind: Cached<Input, Value>): (input: Input) => Promise<Value | undefined> {
    const { name, keyOf, load, of, changedBy = [], maxMs = this.#ttlMs } = kind
    if (!this.isOn) return load
    const values = new LRUCache<string, Kept<Value>, { input: Input }>({
      max: MOST,
      ttl: Math.min(this.#ttlMs, maxMs),
      // What was dropped while it was looked up is given to those who wait, and not kept. That needs a result, also
      // where there is no value.
      ignoreFetchAbort: true,
      fetchMethod: async (_key, _stale, { context: { input } }) => ({ value: await load(input) }),
    })
    this.#kinds.push({ of, changedBy, values })
    const hits = this.#lookUps.labels(name, 'hit')
    const misses = this.#lookUps.labels(name, 'miss')
    return async input => {
      const key = keyOf(input)
      const known = values.get(key)
      if (known) hits.inc()
      else misses.inc()
      const { value } = known ?? ((await values.fetch(key, { context: { input } })) as Kept<Value>)
      if (value === undefined) values.delete(key)
      return value
    }
  }

  /** Drops what the events of some rows change; without ids those of all rows. Returns whether values of this kind are kept. */
  drop(target: string, ids?: readonly string[]): boolean {
    const concerned = this.#kinds.filter(({ of, changedBy }) => of === target || changedBy.includes(target))
    for (const { of, values } of concerned) {
      if (of === target && ids) for (const id of ids) values.delete(id)
      else values.clear()
    }
    return concerned.length > 0
  }

  clear(): void {
    for (const { values } of this.#kinds) values.clear()
  }
}

async function cache(app: FastifyInstance, { cacheTtlMs }: { cacheTtlMs: number }) {
  const lookUps = new Counter({
    name: 'cache_look_ups_total',
    help: 'Values that were asked for, by kind and by whether they were kept.',
    labelNames: ['kind', 'outcome'],
    registers: [app.metrics],
  })
  const kept = new Cache(cacheTtlMs, lookUps)
  app.decorate('cache', kept)
  if (!kept.isOn) return

  app.database.onCommitted(RECORDED, ([target = '', ...ids]) => {
    const named = ids.length > NAMED ? undefined : ids
    if (kept.drop(target, named))
      app.signals.send(TOPIC, JSON.stringify([target, named])).catch((error: Error) => {
        app.log.warn({ reason: error.message }, 'other processes may keep an old value until its time is over')
      })
  })
  app.signals.on(TOPIC, payload => {
    if (payload === undefined) return kept.clear()
    const [target, ids] = JSON.parse(payload) as [target: string, ids: string[] | null]
    kept.drop(target, ids ?? undefined)
  })
}

export const cachePlugin = fp(cache, { name: 'cache', dependencies: ['database', 'signals', 'observability'] })
