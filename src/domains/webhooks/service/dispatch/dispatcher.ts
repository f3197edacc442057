import { setTimeout as sleep } from 'node:timers/promises'
import type { FastifyInstance } from 'fastify'
import { newId } from '../../../../lib/ids.ts'
import { type DueDelivery, listDue } from '../../queries/dispatch.ts'
import type { Endpoint } from './endpoint.ts'
import { Leases } from './leases.ts'
import { dispatchMetrics } from './metrics.ts'
import { Sender, type SenderSettings } from './sender.ts'
import { type Disable, Settlements } from './settlements.ts'
import { freeSlots, OF_PROCESS } from './slots.ts'

/** How often to look for deliveries that are due without a hint, and so how late one may begin. */
const POLL_MS = 1_000
const ERROR_PAUSE_MS = 1_000
/** How long a stop waits for attempts. Endpoints with one that takes longer go on elsewhere when their lease runs out. */
const STOP_MS = 10_000
/** Two attempts fit into a lease: one that is under way when it is renewed, and the pause until then. */
const LEASE_ATTEMPTS = 2

/**
 * Delivers events to the endpoints that this process has leased. One loop does all work with the database, in rounds:
 * store what has ended, keep the leases, take endpoints that wait, read what is due and begin it. The loop waits until an
 * attempt ends, a hint comes or it is time to look.
 */
export class Dispatcher {
  readonly #app: FastifyInstance
  readonly #leases: Leases
  readonly #settlements: Settlements
  readonly #sender: Sender
  readonly #metrics: ReturnType<typeof dispatchMetrics>
  readonly #stopping = new AbortController()
  #waiting = new AbortController()
  #lookAtMs = 0
  #running: Promise<void> | undefined

  constructor(app: FastifyInstance, settings: SenderSettings, disable: Disable) {
    const { timeoutMs } = settings
    const token = newId()
    this.#app = app
    this.#leases = new Leases(app.database, { token, timeoutMs, leaseMs: timeoutMs * LEASE_ATTEMPTS })
    this.#settlements = new Settlements(app, token, disable)
    this.#sender = new Sender(app, settings)
    this.#metrics = dispatchMetrics(app)
  }

  start(): void {
    this.#running = this.#run()
  }

  /** Looks for endpoints now. */
  hint(): void {
    this.#lookAtMs = 0
    this.#waiting.abort()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#waiting.abort()
    await this.#running
    const endMs = performance.now() + STOP_MS
    while (this.#active > 0 && performance.now() < endMs) await this.#wait(endMs - performance.now())
    await this.#finish().catch(error => this.#warn(error))
  }

  get #active(): number {
    return this.#leases.all.reduce((sum, { active }) => sum + active, 0)
  }

  async #finish(): Promise<void> {
    await this.#settlements.store()
    await this.#leases.release()
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      try {
        await this.#round()
        await this.#wait(POLL_MS)
      } catch (error) {
        this.#warn(error)
        await sleep(ERROR_PAUSE_MS, undefined, { signal: this.#stopping.signal }).catch(() => {})
      }
    }
  }

  async #wait(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#waiting.signal }).catch(() => {})
    // What happens from here on starts another round after this one.
    this.#waiting = new AbortController()
  }

  async #round(): Promise<void> {
    await this.#settlements.store()
    await this.#leases.keep()
    if (performance.now() >= this.#lookAtMs) {
      this.#lookAtMs = performance.now() + POLL_MS
      await this.#leases.take()
    }
    await this.#begin()
  }

  /** Begins what is due, in the order of events. */
  async #begin(): Promise<void> {
    const usable = this.#leases.usable(performance.now())
    const counts = new Counts(this.#leases.all)
    const wanted = usable.flatMap(endpoint => wish(endpoint, freeSlots(counts.of(endpoint))))
    if (wanted.length === 0) return
    const { token } = this.#leases
    const due = await listDue(this.#app.database, { token, wanted: JSON.stringify(wanted), most: OF_PROCESS })
    const working = new Set(due.map(({ webhookId }) => webhookId))
    for (const { id } of wanted) (this.#leases.get(id) as Endpoint).hasWork = working.has(id)
    for (const delivery of due) {
      const endpoint = this.#leases.get(delivery.webhookId) as Endpoint
      if (freeSlots(counts.of(endpoint)) <= 0) continue
      counts.add(endpoint)
      endpoint.begin(delivery)
      void this.#attempt(endpoint, delivery)
    }
  }

  async #attempt(endpoint: Endpoint, delivery: DueDelivery): Promise<void> {
    const isProbe = endpoint.circuit.isOpen
    const outcome = await this.#sender.send(delivery)
    endpoint.end(outcome, { isProbe, nowMs: performance.now() })
    if (outcome.disables !== null) endpoint.isClosed = true
    this.#metrics.attempted(outcome, delivery.nextAttemptAt)
    this.#settlements.add({ endpoint, delivery, outcome })
    this.#waiting.abort()
  }

  #warn(error: unknown): void {
    this.#app.log.warn({ reason: (error as Error).message }, 'webhooks are not delivered, will repeat')
  }
}

/** What to read for an endpoint: nothing where no attempt may begin. */
function wish({ id, circuit, unsettled }: Endpoint, slots: number) {
  const { isOpen } = circuit
  const most = isOpen ? Math.min(slots, unsettled.size === 0 ? 1 : 0) : slots
  return most <= 0 ? [] : [{ id, most, isOpen, skip: [...unsettled] }]
}

/** Counts attempts that are under way, by origin and in all. */
class Counts {
  readonly #ofOrigins = new Map<string, number>()
  #all = 0

  constructor(endpoints: readonly Endpoint[]) {
    for (const endpoint of endpoints) this.add(endpoint, endpoint.active)
  }

  add({ origin }: Endpoint, attempts = 1): void {
    this.#ofOrigins.set(origin, (this.#ofOrigins.get(origin) ?? 0) + attempts)
    this.#all += attempts
  }

  of({ origin, active }: Endpoint) {
    return { inProcess: this.#all, toOrigin: this.#ofOrigins.get(origin) ?? 0, toEndpoint: active }
  }
}
