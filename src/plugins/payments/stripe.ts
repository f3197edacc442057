import type { Stripe as StripeSdk } from 'stripe'
import {
  type Charge,
  type Outcome,
  type PaymentProvider,
  PaymentRefused,
  type ProviderEvent,
  type ProviderRecord,
  type RefundOrder,
} from '../../lib/payment-provider.ts'
import type { Fetch } from '../outbound/fetch.ts'
import { fromStripeAmount, toStripeAmount } from './stripe-amounts.ts'

export interface StripeOptions {
  secretKey: string
  /** Secrets of its webhook; several while one is replaced. */
  webhookSecrets: string[]
  baseUrl: string
  /** Where the customer comes back to after a further step. */
  returnUrl: string
}

const TIMEOUT_MS = 10_000
/** An event is accepted when it was signed at most so long ago, or so far ahead by a clock that differs. */
const TOLERANCE_SECONDS = 300
const SIGNED_AT = /(?:^|,)t=(\d{1,12})(?:,|$)/
/** What cannot become otherwise when it is repeated. */
const REFUSALS = ['StripeInvalidRequestError', 'StripeCardError']
const REFUNDS_ASKED = 100

/** Loads the library, which only this provider needs. `ask` sends its requests. */
export async function openStripe(options: StripeOptions, ask: Fetch): Promise<Stripe> {
  const { Stripe: Sdk } = await import('stripe')
  const { hostname, port, protocol } = new URL(options.baseUrl)
  const sdk = new Sdk(options.secretKey, {
    host: hostname,
    ...(port !== '' && { port }),
    protocol: protocol === 'http:' ? 'http' : 'https',
    timeout: TIMEOUT_MS,
    maxNetworkRetries: 1,
    telemetry: false,
    httpClient: Sdk.createFetchHttpClient(((url: string, { method, headers, body }: RequestInit) =>
      ask(url, { method: method ?? 'GET', headers: Object.fromEntries(new Headers(headers)), body })) as typeof fetch),
  })
  return new Stripe(sdk, options)
}

/** Stripe by its own library: a payment intent for each payment, which is created first and confirmed after that. */
export class Stripe implements PaymentProvider {
  readonly name = 'stripe'
  readonly usualMethod = undefined
  readonly #sdk: StripeSdk
  readonly #options: StripeOptions

  constructor(sdk: StripeSdk, options: StripeOptions) {
    this.#sdk = sdk
    this.#options = options
  }

  takes(paymentMethod: string): boolean {
    return paymentMethod.startsWith('pm_')
  }

  /** A payment method that is saved at Stripe is used with its customer, or it could not be used again. */
  async prepare({ id, amountCents, currency, paymentMethod }: Charge): Promise<string> {
    const amount = toStripeAmount({ amountCents, currency })
    if (amount === undefined) throw new PaymentRefused('amount_not_payable')
    try {
      const { customer } = await this.#sdk.paymentMethods.retrieve(paymentMethod)
      const owner = customer === null ? {} : { customer: typeof customer === 'string' ? customer : customer.id }
      const intent = await this.#sdk.paymentIntents.create(
        {
          amount,
          currency: currency.toLowerCase(),
          allowed_payment_method_types: ['card'],
          metadata: { paymentId: id },
          ...owner,
        },
        { idempotencyKey: id },
      )
      return intent.id
    } catch (error) {
      throw isRefusal(error) ? new PaymentRefused(codeOf(error)) : error
    }
  }

  async confirm(reference: string, { id, paymentMethod }: Charge): Promise<Outcome> {
    try {
      const intent = await this.#sdk.paymentIntents.confirm(
        reference,
        { payment_method: paymentMethod, return_url: this.#options.returnUrl, ...WITH_FEE },
        { idempotencyKey: `${id}-confirm` },
      )
      return outcomeOf(intent)
    } catch (error) {
      if (isRefusal(error)) return { status: 'failed', failureCode: codeOf(error) }
      throw error
    }
  }

  async find(reference: string): Promise<Outcome> {
    return outcomeOf(await this.#sdk.paymentIntents.retrieve(reference, WITH_FEE))
  }

  async record(reference: string): Promise<ProviderRecord | undefined> {
    try {
      const intent = await this.#sdk.paymentIntents.retrieve(reference, WITH_FEE)
      const refunded = chargeOf(intent)?.amount_refunded ?? 0
      return {
        takenCents: fromStripeAmount(intent.amount_received, intent.currency),
        refundedCents: fromStripeAmount(refunded, intent.currency),
        feeCents: feeOf(intent) ?? null,
      }
    } catch (error) {
      if (isRefusal(error) && codeOf(error) === 'resource_missing') return undefined
      throw error
    }
  }

  /** Looks for the refund first: after a day the idempotency key is forgotten, and would pay back again. */
  async refund({ id, reference, amountCents }: RefundOrder): Promise<'processing' | 'succeeded' | 'failed'> {
    const { data } = await this.#sdk.refunds.list({ payment_intent: reference, limit: REFUNDS_ASKED })
    const known = data.find(({ metadata }) => metadata?.refundId === id)
    if (known) return refundStatus(known)
    const { currency } = await this.#sdk.paymentIntents.retrieve(reference)
    const amount = toStripeAmount({ amountCents, currency: currency.toUpperCase() })
    if (amount === undefined) return 'failed'
    try {
      const made = await this.#sdk.refunds.create(
        { payment_intent: reference, amount, metadata: { refundId: id } },
        { idempotencyKey: id },
      )
      return refundStatus(made)
    } catch (error) {
      if (isRefusal(error)) return 'failed'
      throw error
    }
  }

  readonly readEvent = async (body: Buffer, signature: string): Promise<ProviderEvent | undefined> => {
    // The library accepts any time that lies ahead.
    const ahead = Number(SIGNED_AT.exec(signature)?.[1] ?? Infinity) - Date.now() / 1_000
    if (ahead > TOLERANCE_SECONDS) return undefined
    for (const secret of this.#options.webhookSecrets) {
      const event = await this.#sdk.webhooks
        .constructEventAsync(body, signature, secret, TOLERANCE_SECONDS)
        .catch(() => undefined)
      if (event) return { id: event.id, type: event.type, reference: referenceOf(event.data.object) }
    }
    return undefined
  }
}

const WITH_FEE = { expand: ['latest_charge.balance_transaction'] }

function outcomeOf(intent: StripeSdk.PaymentIntent): Outcome {
  const { last_payment_error: failure, next_action: action } = intent
  switch (intent.status) {
    case 'succeeded': {
      const feeCents = feeOf(intent)
      return { status: 'succeeded', ...(feeCents !== undefined && { feeCents }) }
    }
    case 'requires_action':
      return { status: 'requires_action', actionUrl: action?.redirect_to_url?.url ?? '' }
    case 'canceled':
      return { status: 'failed', failureCode: 'canceled' }
    case 'requires_payment_method':
    case 'requires_confirmation':
      if (!failure) return { status: 'prepared' }
      return { status: 'failed', failureCode: failure.decline_code ?? failure.code ?? 'declined' }
    default:
      return { status: 'processing' }
  }
}

const chargeOf = ({ latest_charge: charge }: StripeSdk.PaymentIntent): StripeSdk.Charge | undefined =>
  typeof charge === 'string' ? undefined : (charge ?? undefined)

/** What Stripe keeps; undefined where it does not say, or counts it in another currency. */
function feeOf(intent: StripeSdk.PaymentIntent): number | undefined {
  const booked = chargeOf(intent)?.balance_transaction
  if (!booked || typeof booked === 'string' || booked.currency !== intent.currency) return undefined
  return fromStripeAmount(booked.fee, booked.currency)
}

const refundStatus = ({ status }: StripeSdk.Refund): 'processing' | 'succeeded' | 'failed' =>
  status === 'succeeded' ? status : status === 'failed' || status === 'canceled' ? 'failed' : 'processing'

type Failure = Error & { type: string; code?: string; decline_code?: string }

const isRefusal = (error: unknown): error is Failure =>
  error instanceof Error && REFUSALS.includes((error as Failure).type)
const codeOf = ({ decline_code, code }: Failure): string => decline_code ?? code ?? 'refused'

/** The payment intent that an object of Stripe is, or belongs to. */
function referenceOf(object: object): string | null {
  const { id, object: kind, payment_intent: intent } = object as Record<string, unknown>
  if (kind === 'payment_intent') return String(id)
  return typeof intent === 'string' ? intent : null
}
