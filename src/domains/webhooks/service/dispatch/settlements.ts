import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../../database/client.ts'
import type { Executor } from '../../../../database/executor.ts'
import { type DueDelivery, settleAttempts } from '../../queries/dispatch.ts'
import type { Endpoint } from './endpoint.ts'
import type { Outcome } from './outcome.ts'

/** An attempt that has ended and is not yet stored. */
export interface Ended {
  endpoint: Endpoint
  delivery: DueDelivery
  outcome: Outcome
}

/** Disables an endpoint in the transaction that stores why. */
export type Disable = (tx: Transaction, webhookId: string, reason: 'gone' | 'exhausted') => Promise<unknown>

/** Stores attempts in batches, as far as their endpoints are still leased. */
export class Settlements {
  readonly #app: FastifyInstance
  readonly #token: string
  readonly #disable: Disable
  #ended: Ended[] = []

  constructor(app: FastifyInstance, token: string, disable: Disable) {
    this.#app = app
    this.#token = token
    this.#disable = disable
  }

  add(ended: Ended): void {
    this.#ended.push(ended)
  }

  /** Stores everything that has ended. What cannot be stored now is kept as long as its lease lasts. */
  async store(): Promise<void> {
    const nowMs = performance.now()
    const ended = this.#ended.splice(0).filter(({ endpoint }) => endpoint.leasedUntilMs > nowMs)
    const [last, plain] = partition(ended, ({ outcome }) => outcome.disables !== null)
    try {
      await this.#settle(this.#app.database.writes, plain)
      for (const one of last) await this.#end(one)
    } catch (error) {
      // An attempt that was stored all the same does not match again: its number is taken.
      this.#ended.push(...ended.filter(({ endpoint, delivery }) => endpoint.unsettled.has(delivery.id)))
      throw error
    }
  }

  /** Stores the last attempt of a delivery together with the end of its endpoint. */
  async #end(ended: Ended): Promise<void> {
    const { endpoint, outcome } = ended
    await this.#app.database.transaction(async tx => {
      if (!(await this.#settle(tx, [ended]))) return
      await this.#disable(tx, endpoint.id, outcome.disables as 'gone' | 'exhausted')
    })
  }

  /** Returns whether all are settled; those of rows that a user has locked are kept for the next time. */
  async #settle(on: Executor, ended: Ended[]): Promise<boolean> {
    if (ended.length === 0) return true
    const ids = [...new Set(ended.map(({ endpoint }) => endpoint.id))]
    const rows = await settleAttempts(on, { ids, token: this.#token, outcomes: JSON.stringify(ended.map(asRow)) })
    const held = new Set(rows.map(({ id }) => id))
    const [settled, kept] = partition(ended, ({ endpoint }) => held.has(endpoint.id))
    for (const { endpoint, delivery } of settled) endpoint.unsettled.delete(delivery.id)
    this.#ended.push(...kept)
    return kept.length === 0
  }
}

const asRow = ({ delivery, outcome: { state, delayMs, attempt } }: Ended) => ({
  id: delivery.id,
  number: delivery.attemptCount + 1,
  state,
  delayMs,
  attempt,
})

function partition<T>(all: T[], is: (one: T) => boolean): [T[], T[]] {
  return [all.filter(is), all.filter(one => !is(one))]
}
