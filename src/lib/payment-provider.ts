/** A payment as its provider is told of it. */
export interface Charge {
  /** Our id of the payment, which is also the idempotency key at the provider. */
  id: string
  amountCents: number
  currency: string
  /** A token of the provider for what pays, such as a card; the card itself never comes here. */
  paymentMethod: string
}

/** What the provider says about a payment. `prepared`: it knows the payment and was never told to charge it. */
export type Outcome =
  | { status: 'prepared' | 'processing' }
  /** `feeCents` is what the provider keeps of the amount, where it says so. */
  | { status: 'succeeded'; feeCents?: number }
  | { status: 'requires_action'; actionUrl: string }
  | { status: 'failed'; failureCode: string }

export interface RefundOrder {
  /** Our id of the refund. */
  id: string
  /** The provider's name of the payment. */
  reference: string
  amountCents: number
}

/** A payment in the books of the provider. */
export interface ProviderRecord {
  takenCents: number
  refundedCents: number
  /** What the provider kept; null where it does not say. */
  feeCents: number | null
}

/** The provider will never take this payment, for instance because of its amount or currency. */
export class PaymentRefused extends Error {
  /** The provider's word for why. */
  readonly failureCode: string

  constructor(failureCode: string) {
    super(`the provider refuses the payment: ${failureCode}`)
    this.failureCode = failureCode
  }
}

/** What a provider tells by itself: that something may have become of a payment or a refund. */
export interface ProviderEvent {
  /** The provider's id of the event. */
  id: string
  type: string
  /** The provider's name of the payment; null where the event is about none. */
  reference: string | null
}

/**
 * Who moves the money. A method that throws leaves the outcome unknown: it may have been carried out, so the caller
 * asks with `find` before it does anything else. Every method may be repeated without moving money twice.
 */
export interface PaymentProvider {
  readonly name: 'sandbox' | 'stripe'
  /** What pays when the caller names nothing; undefined where it must be named. */
  readonly usualMethod: string | undefined
  /** Whether the method is one of the provider's, as far as can be told without asking it. */
  takes(paymentMethod: string): boolean
  /** Makes the payment known without charging it. Returns the provider's name of it. Throws `PaymentRefused`. */
  prepare(charge: Charge): Promise<string>
  /** Charges a prepared payment, once. */
  confirm(reference: string, charge: Charge): Promise<Outcome>
  find(reference: string): Promise<Outcome>
  /** What its books say of a payment, for reconciliation; undefined when it does not know the payment. */
  record(reference: string): Promise<ProviderRecord | undefined>
  /** Pays back, once for each id of a refund. */
  refund(refund: RefundOrder): Promise<'processing' | 'succeeded' | 'failed'>
  /** Reads an event that the provider sent; undefined when it is not signed by the provider, now. Null without events. */
  readonly readEvent: ((body: Buffer, signature: string) => Promise<ProviderEvent | undefined>) | null
}
