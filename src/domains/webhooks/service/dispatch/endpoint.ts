import type { DueDelivery } from '../../queries/dispatch.ts'
import { Circuit } from './circuit.ts'
import type { Outcome } from './outcome.ts'

/** An endpoint that this process has leased. */
export class Endpoint {
  readonly id: string
  readonly circuit: Circuit
  url: string
  /** When the lease runs out, by the clock of this process. */
  leasedUntilMs: number
  /** Attempts that are under way. */
  active = 0
  /** Ids of deliveries that are under way or not yet stored: the database shows them as due. */
  readonly unsettled = new Set<string>()
  /** Whether the last look found something due. */
  hasWork = true
  /** Whether it gets no more attempts by this process: it is being disabled, or the lease is lost. */
  isClosed = false

  constructor({ id, url, failureCount }: { id: string; url: string; failureCount: number }, leasedUntilMs: number) {
    this.id = id
    this.url = url
    this.circuit = new Circuit(failureCount)
    this.leasedUntilMs = leasedUntilMs
  }

  get origin(): string {
    return URL.canParse(this.url) ? new URL(this.url).origin : this.url
  }

  get isIdle(): boolean {
    return this.unsettled.size === 0
  }

  begin({ id, url }: DueDelivery): void {
    this.url = url
    this.active += 1
    this.unsettled.add(id)
  }

  /** Counts an attempt that has ended. */
  end({ state, retryAfterMs, wasSent }: Outcome, { isProbe, nowMs }: { isProbe: boolean; nowMs: number }): void {
    this.active -= 1
    if (state === 'delivered') this.circuit.succeeded()
    else if (wasSent) this.circuit.failed({ isProbe, nowMs })
    if (retryAfterMs > 0) this.circuit.block(retryAfterMs, nowMs)
  }
}
