import type { Database } from '../../database/client.ts'
import { shareOf, timesCents } from '../../lib/money.ts'
import type { Charge, Outcome, PaymentProvider, ProviderRecord, RefundOrder } from '../../lib/payment-provider.ts'
import { findSandboxPayment, insertSandboxPayment, insertSandboxRefund, moveSandboxPayment } from './queries.ts'

/** What the status of a payment becomes when it is confirmed, by payment method. */
export const SANDBOX_METHODS: Readonly<Record<string, string>> = {
  pm_sandbox_success: 'succeeded',
  pm_sandbox_declined: 'failed',
  /** The customer has one more step, and has taken it when the sandbox is asked next. */
  pm_sandbox_action: 'requires_action',
  /** The money is taken, but no answer arrives. */
  pm_sandbox_timeout: 'succeeded',
  /** Nothing is decided at first; it succeeds when the sandbox is asked next. */
  pm_sandbox_late: 'processing',
}

/** What the sandbox keeps of each payment, in basis points. */
const FEE_BASIS_POINTS = 150

const feeOf = (amountCents: number): number => shareOf(amountCents, FEE_BASIS_POINTS)

const ACTION_URL = 'https://sandbox.example/authenticate'

/** A provider that needs no account. It keeps books of its own in the database, so it can be asked after a restart. */
export class Sandbox implements PaymentProvider {
  readonly name = 'sandbox'
  readonly usualMethod = 'pm_sandbox_success'
  readonly readEvent = null
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  takes(paymentMethod: string): boolean {
    return Object.hasOwn(SANDBOX_METHODS, paymentMethod)
  }

  async prepare({ id, paymentMethod: method, amountCents }: Charge): Promise<string> {
    await insertSandboxPayment(this.#database.writes, { id, method, amountCents })
    return id
  }

  async confirm(id: string): Promise<Outcome> {
    const known = await findSandboxPayment(this.#database, { id })
    const method = known?.method ?? ''
    const moved = await this.#move(id, 'prepared', SANDBOX_METHODS[method] ?? 'failed')
    if (moved && method === 'pm_sandbox_timeout') throw new Error('the sandbox does not answer')
    return moved ?? this.find(id)
  }

  async find(id: string): Promise<Outcome> {
    const known = await findSandboxPayment(this.#database, { id })
    if (!known) return { status: 'failed', failureCode: 'unknown_payment' }
    const { status } = known
    const undecided = status === 'processing' || status === 'requires_action'
    return (undecided ? await this.#move(id, status, 'succeeded') : undefined) ?? outcomeOf(known)
  }

  async record(id: string): Promise<ProviderRecord | undefined> {
    const known = await findSandboxPayment(this.#database, { id })
    if (!known) return undefined
    const { charges, amountCents, refundedCents } = known
    const takenCents = timesCents(amountCents, charges)
    return { takenCents, refundedCents, feeCents: feeOf(takenCents) }
  }

  async refund({ id, reference: paymentId, amountCents }: RefundOrder): Promise<'succeeded'> {
    await insertSandboxRefund(this.#database.writes, { id, paymentId, amountCents })
    return 'succeeded'
  }

  async #move(id: string, from: string, to: string): Promise<Outcome | undefined> {
    const moved = await moveSandboxPayment(this.#database.writes, { id, from, to })
    return moved && outcomeOf(moved)
  }
}

function outcomeOf({ status, amountCents }: { status: string; amountCents: number }): Outcome {
  if (status === 'failed') return { status, failureCode: 'card_declined' }
  if (status === 'requires_action') return { status, actionUrl: ACTION_URL }
  if (status === 'succeeded') return { status, feeCents: feeOf(amountCents) }
  return { status: status as 'prepared' | 'processing' }
}
