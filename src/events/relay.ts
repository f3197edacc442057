import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import type { Database, Transaction } from '../database/client.ts'
import type { Log } from '../database/log.ts'
import { type Params, statement } from '../database/statement.ts'
import { settledEnd } from './position.ts'
import { eventCursors, events } from './tables.ts'

/** How late a subscriber may get an event, since the relay polls. */
const POLL_MS = 250
const ERROR_PAUSE_MS = 1_000
const BATCH = 100

/** An event without its data, which a subscriber may read by its id: that of a whole batch can be megabytes. */
export interface RecordedEvent {
  id: string
  position: string
  seq: number
  type: string
  organizationId: string | null
  targetId: string
  createdAt: string
}

/**
 * Receives committed events in order, in the transaction that also moves the subscriber's cursor, so each event takes
 * effect exactly once.
 */
export type Subscriber = (tx: Transaction, events: RecordedEvent[]) => Promise<void>

const start = statement(
  'events.relay.start',
  (_, $: Params<{ subscriber: string }>) => sql`
    insert into ${eventCursors} (subscriber, position, seq) values (${$.subscriber}, ${settledEnd}, 0)
    on conflict do nothing`,
)

const lockCursor = statement(
  'events.relay.lock',
  (_, $: Params<{ subscriber: string }>) => sql<{ position: string; seq: number }>`
    select position, seq from ${eventCursors} where subscriber = ${$.subscriber} for update skip locked`,
)

/** Reads only settled events, so that none can appear behind the cursor later. */
const readAfter = statement(
  'events.relay.read',
  (_, $: Params<{ position: string; seq: number; limit: number }>) => sql<RecordedEvent>`
    select id, position, seq, type, organization_id, target_id, created_at from ${events}
    where (position, seq) > (${$.position}::xid8, ${$.seq}::bigint) and position < ${settledEnd}
    order by position, seq limit ${$.limit}`,
)

const moveCursor = statement(
  'events.relay.move',
  (_, $: Params<{ subscriber: string; position: string; seq: number }>) => sql`
    update ${eventCursors} set position = ${$.position}::xid8, seq = ${$.seq} where subscriber = ${$.subscriber}`,
)

/** Passes committed events to subscribers, on the node that holds the lock on the subscriber's cursor. */
export class Relay {
  readonly #database: Database
  readonly #log: Log
  readonly #subscribers = new Map<string, Subscriber>()
  readonly #stopping = new AbortController()
  #running: Promise<void>[] = []

  constructor(database: Database, log: Log) {
    this.#database = database
    this.#log = log
  }

  /**
   * `name` identifies the cursor and must not change. A new subscriber starts with the events after its first start.
   */
  subscribe(name: string, subscriber: Subscriber): void {
    this.#subscribers.set(name, subscriber)
  }

  start(): void {
    this.#running = [...this.#subscribers].map(([name, subscriber]) => this.#follow(name, subscriber))
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await Promise.all(this.#running)
  }

  async #follow(name: string, subscriber: Subscriber): Promise<void> {
    let started = false
    while (!this.#stopping.signal.aborted) {
      try {
        if (!started) await start(this.#database, { subscriber: name })
        started = true
        if (await this.#hand(name, subscriber)) continue
        await this.#pause(POLL_MS)
      } catch (error) {
        this.#log.warn({ subscriber: name, reason: (error as Error).message }, 'event subscriber failed, will repeat')
        await this.#pause(ERROR_PAUSE_MS)
      }
    }
  }

  /** Passes one batch on; returns whether there may be more. */
  #hand(name: string, subscriber: Subscriber): Promise<boolean> {
    return this.#database.transaction(async tx => {
      const [cursor] = await lockCursor(tx, { subscriber: name })
      if (!cursor) return false
      const batch = await readAfter(tx, { ...cursor, limit: BATCH })
      const last = batch.at(-1)
      if (!last) return false
      await subscriber(tx, batch)
      await moveCursor(tx, { subscriber: name, position: last.position, seq: last.seq })
      return batch.length === BATCH
    })
  }

  async #pause(milliseconds: number): Promise<void> {
    await sleep(milliseconds, undefined, { signal: this.#stopping.signal }).catch(() => {})
  }
}
