import type { Database } from '../../../../database/client.ts'
import { leaseEndpoints, renewLeases } from '../../queries/dispatch.ts'
import { Endpoint } from './endpoint.ts'

/** Endpoints of one process. */
const MOST = 512

interface LeaseOptions {
  token: string
  leaseMs: number
  /** The time limit of an attempt: none begins that could outlast the lease. */
  timeoutMs: number
}

/**
 * The endpoints that this process delivers to, and no other. A lease that is renewed in time is never lost; one of a
 * process that was killed runs out.
 */
export class Leases {
  readonly #database: Database
  readonly #options: LeaseOptions
  readonly #held = new Map<string, Endpoint>()

  constructor(database: Database, options: LeaseOptions) {
    this.#database = database
    this.#options = options
  }

  get token(): string {
    return this.#options.token
  }

  get(id: string): Endpoint | undefined {
    return this.#held.get(id)
  }

  get all(): Endpoint[] {
    return [...this.#held.values()]
  }

  /** Endpoints to which an attempt may begin, as far as the lease goes. */
  usable(nowMs: number): Endpoint[] {
    const { timeoutMs } = this.#options
    return this.all.filter(
      ({ isClosed, circuit, leasedUntilMs }) =>
        !isClosed && circuit.blockedMs(nowMs) === 0 && leasedUntilMs - nowMs >= timeoutMs,
    )
  }

  /** Leases endpoints that have something due and no holder. */
  async take(): Promise<void> {
    const { token, leaseMs } = this.#options
    // From before the statement, so that this process never believes longer than the database does.
    const leasedUntilMs = performance.now() + leaseMs
    const most = MOST - this.#held.size
    if (most <= 0) return
    for (const leased of await leaseEndpoints(this.#database.writes, { token, leaseMs, most })) {
      if (!this.#held.has(leased.id)) this.#held.set(leased.id, new Endpoint(leased, leasedUntilMs))
    }
  }

  /** Renews what needs it, releases what has no work, and forgets what is lost. */
  async keep(): Promise<void> {
    const nowMs = performance.now()
    for (const { id, leasedUntilMs } of this.all) if (leasedUntilMs <= nowMs) this.#held.delete(id)
    const { leaseMs, timeoutMs } = this.#options
    // Half of the time between a new lease and the end of its use has passed.
    const renewMs = (leaseMs + timeoutMs) / 2
    const renewed = this.all.filter(
      ({ circuit, leasedUntilMs, isClosed }) => circuit.takeChange() || isClosed || leasedUntilMs - nowMs < renewMs,
    )
    await this.#renew(renewed, ({ hasWork, isIdle, isClosed, circuit }) => {
      const waits = isClosed || !hasWork || circuit.blockedMs(nowMs) > 0
      return !(isIdle && waits)
    })
  }

  /** Releases what has nothing under way; the rest runs out. */
  release(): Promise<void> {
    return this.#renew(
      this.all.filter(({ isIdle }) => isIdle),
      () => false,
    )
  }

  async #renew(endpoints: Endpoint[], works: (endpoint: Endpoint) => boolean): Promise<void> {
    if (endpoints.length === 0) return
    const nowMs = performance.now()
    const { token, leaseMs } = this.#options
    const states = endpoints.map(endpoint => ({
      id: endpoint.id,
      works: works(endpoint),
      failures: endpoint.circuit.failures,
      blockedMs: Math.ceil(endpoint.circuit.blockedMs(nowMs)),
    }))
    const ids = states.map(({ id }) => id)
    const kept = await renewLeases(this.#database.writes, { ids, token, leaseMs, states: JSON.stringify(states) })
    const done = new Set(kept.map(({ id }) => id))
    for (const [at, endpoint] of endpoints.entries())
      this.#note(endpoint, done.has(endpoint.id), states[at]?.works, nowMs)
  }

  #note(endpoint: Endpoint, done: boolean, works: boolean | undefined, nowMs: number): void {
    if (!done) endpoint.circuit.keepChange()
    else if (works) endpoint.leasedUntilMs = nowMs + this.#options.leaseMs
    else this.#held.delete(endpoint.id)
  }
}
