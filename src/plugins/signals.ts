import { sql } from 'drizzle-orm'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Redis } from 'ioredis'
import { Gauge } from 'prom-client'
import type { Database } from '../database/client.ts'
import { type Params, statement } from '../database/statement.ts'

declare module 'fastify' {
  interface FastifyInstance {
    signals: Signals
  }
}

const CHANNEL = 'lintel_signals'
/** How long hints of one topic are gathered into one. */
const GATHER_MS = 10

const notify = statement(
  'signals.notify',
  (_, $: Params<{ text: string }>) => sql`select pg_notify('${sql.raw(CHANNEL)}', ${$.text})`,
)

type Hear = (payload?: string) => void

/**
 * What processes tell each other soon, but not surely: over Redis where there is one, otherwise as notifications of
 * PostgreSQL, outside any transaction that writes. Every process listens to both.
 */
class Signals {
  readonly #database: Database
  readonly #redis: Redis | null
  readonly #subscriber: Redis | undefined
  readonly #listeners = new Map<string, Hear>()
  readonly #hinted = new Set<string>()
  /** Whether this process hears what is sent over Redis; if not, others may not hear it either. */
  overRedis = false

  constructor(database: Database, redis: Redis | null) {
    this.#database = database
    this.#redis = redis
    database.listener.on(CHANNEL, text => this.#hear(text))
    if (redis) this.#subscriber = this.#subscribe(redis)
  }

  /** `hear` is called without a payload when signals may have been missed. One listener for each topic. */
  on(topic: string, hear: Hear): void {
    this.#listeners.set(topic, hear)
  }

  /** Sends up to 7,500 bytes, to this process as well. Throws `database_unavailable`. */
  async send(topic: string, payload: string): Promise<void> {
    const text = `${topic} ${payload}`
    if (await this.#publish(text)) return
    await notify(this.#database.writes, { text })
  }

  /** Tells the others to look now at what they otherwise look at soon. Without Redis it does nothing: many notifications cost the database much. */
  hint(topic: string): void {
    if (!this.overRedis || this.#hinted.has(topic)) return
    this.#hinted.add(topic)
    setTimeout(() => {
      this.#hinted.delete(topic)
      void this.#publish(`${topic} `)
    }, GATHER_MS).unref()
  }

  close(): void {
    this.#subscriber?.disconnect()
  }

  async #publish(text: string): Promise<boolean> {
    if (!this.#redis || !this.overRedis) return false
    return this.#redis.publish(CHANNEL, text).then(
      () => true,
      () => false,
    )
  }

  #subscribe(redis: Redis): Redis {
    const subscriber = redis.duplicate({ autoResubscribe: false, connectionName: 'lintel-signals' })
    subscriber.on('error', () => {})
    subscriber.on('close', () => {
      this.overRedis = false
    })
    subscriber.on('ready', async () => {
      const subscribed = await subscriber.subscribe(CHANNEL).catch(() => undefined)
      if (subscribed === undefined) return subscriber.disconnect(true)
      this.overRedis = true
      this.#hear(undefined)
    })
    subscriber.on('message', (_channel, text) => this.#hear(text))
    subscriber.connect().catch(() => {})
    return subscriber
  }

  #hear(text: string | undefined): void {
    if (text === undefined) {
      for (const hear of this.#listeners.values()) hear()
      return
    }
    const end = text.indexOf(' ')
    this.#listeners.get(text.slice(0, end))?.(text.slice(end + 1))
  }
}

async function signals(app: FastifyInstance) {
  const signals = new Signals(app.database, app.redis)
  app.decorate('signals', signals)
  app.addHook('onClose', async () => signals.close())
  if (!app.redis) return
  new Gauge({
    name: 'signals_over_redis',
    help: 'Whether processes tell each other what is new over Redis; 0 while they use notifications of PostgreSQL.',
    registers: [app.metrics],
    collect() {
      this.set(signals.overRedis ? 1 : 0)
    },
  })
}

export const signalsPlugin = fp(signals, { name: 'signals', dependencies: ['database', 'redis', 'observability'] })
