import { createHmac, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Config } from '../../src/config.ts'

interface Test {
  teardown(done: () => Promise<void>): void
}

type Json = ReturnType<typeof JSON.parse>

export const WEBHOOK_SECRETS = ['whsec_new', 'whsec_old']

/** A server on loopback that speaks Stripe's API, as far as the provider uses it. */
export interface StripeServer {
  stripe: NonNullable<Config['stripe']>
  intents: Map<string, Json>
  refunds: Json[]
  /** How often each payment intent was charged. */
  charges: Map<string, number>
  /** Idempotency keys, in the order in which they came. */
  keys: string[]
  forgetKeys(): void
  /** While true it answers nothing but 500. */
  isDown: boolean
}

const FEE = 30
const id = (kind: string) => `${kind}_${randomBytes(8).toString('hex')}`
const problem = (status: number, error: object) => ({ status, body: { error } })
const missing = problem(404, { type: 'invalid_request_error', code: 'resource_missing', message: 'No such object' })

/**
 * What a payment method leads to: `pm_card_declined` is refused, `pm_card_action` wants a further step, `pm_card_late` is
 * decided later, `pm_card_timeout` charges without an answer; every other succeeds.
 */
function confirm(server: StripeServer, intent: Json, method: string) {
  if (method === 'pm_card_declined') {
    intent.last_payment_error = { type: 'card_error', code: 'card_declined', decline_code: 'insufficient_funds' }
    intent.status = 'requires_payment_method'
    return problem(402, { ...intent.last_payment_error, message: 'Declined', payment_intent: intent })
  }
  if (method === 'pm_card_action') {
    intent.status = 'requires_action'
    intent.next_action = { type: 'redirect_to_url', redirect_to_url: { url: 'https://stripe.example/3ds' } }
  } else if (method === 'pm_card_late') intent.status = 'processing'
  else capture(server, intent)
  return { status: 200, body: intent, silent: method === 'pm_card_timeout' }
}

/** Takes the money of an intent. */
export function capture(server: StripeServer, intent: Json): void {
  server.charges.set(intent.id, (server.charges.get(intent.id) ?? 0) + 1)
  const booked = { object: 'balance_transaction', fee: FEE, currency: intent.currency }
  const charge = { object: 'charge', amount_refunded: 0, balance_transaction: booked }
  Object.assign(intent, { status: 'succeeded', amount_received: intent.amount, latest_charge: charge })
}

function respond(server: StripeServer, method: string, url: URL, given: Json): Json {
  const [, , kind, name, action] = url.pathname.split('/')
  if (kind === 'payment_methods')
    return name === 'pm_card_unknown' ? missing : { status: 200, body: { id: name, customer: null } }
  if (kind === 'payment_intents' && name === undefined) {
    const intent = {
      id: id('pi'),
      object: 'payment_intent',
      status: 'requires_payment_method',
      ...given,
      amount: Number(given.amount),
    }
    Object.assign(intent, { last_payment_error: null, next_action: null, amount_received: 0, latest_charge: null })
    server.intents.set(intent.id, intent)
    return { status: 200, body: intent }
  }
  if (kind === 'payment_intents') {
    const intent = server.intents.get(name ?? '')
    if (!intent) return missing
    return action === 'confirm' ? confirm(server, intent, given.payment_method) : { status: 200, body: intent }
  }
  if (kind === 'refunds' && method === 'GET') {
    const data = server.refunds.filter(refund => refund.payment_intent === url.searchParams.get('payment_intent'))
    return { status: 200, body: { object: 'list', data, has_more: false, url: '/v1/refunds' } }
  }
  if (kind !== 'refunds') return missing
  const intent = server.intents.get(given.payment_intent)
  const amount = Number(given.amount)
  if (amount > intent.amount - intent.latest_charge.amount_refunded)
    return problem(400, { type: 'invalid_request_error', code: 'charge_already_refunded', message: 'Too much' })
  intent.latest_charge.amount_refunded += amount
  const refund = { id: id('re'), object: 'refund', status: 'succeeded', payment_intent: given.payment_intent, amount }
  server.refunds.push(Object.assign(refund, { metadata: { refundId: given['metadata[refundId]'] } }))
  return { status: 200, body: refund }
}

export async function startStripe(t: Test): Promise<StripeServer> {
  const kept = new Map<string, Json>()
  const server: StripeServer = {
    stripe: {
      secretKey: 'sk_test_1',
      webhookSecrets: WEBHOOK_SECRETS,
      baseUrl: '',
      returnUrl: 'http://localhost:3000',
    },
    intents: new Map(),
    refunds: [],
    charges: new Map(),
    keys: [],
    forgetKeys: () => kept.clear(),
    isDown: false,
  }
  const send = (response: ServerResponse, { status, body, silent }: Json) => {
    if (silent) response.destroy()
    else response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  }
  const http = createServer(async (request, response) => {
    const given = Object.fromEntries(new URLSearchParams(await text(request)))
    if (server.isDown) return send(response, problem(500, { type: 'api_error', message: 'Down' }))
    const key = request.headers['idempotency-key'] as string | undefined
    const known = key && kept.get(key)
    if (known) return send(response, { ...known, silent: false })
    const answer = respond(server, request.method ?? '', new URL(request.url ?? '', 'http://stripe'), given)
    if (key) {
      server.keys.push(key)
      kept.set(key, structuredClone(answer))
    }
    send(response, answer)
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  t.teardown(async () => {
    http.closeAllConnections()
    http.close()
  })
  server.stripe.baseUrl = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
  return server
}

/** An event as Stripe sends it: its bytes, and their signature at a time. */
export function signedEvent(event: Json, { secret = WEBHOOK_SECRETS[0] as string, at = Date.now() } = {}) {
  const body = JSON.stringify({ object: 'event', ...event })
  const seconds = Math.floor(at / 1_000)
  const signature = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')
  return { body, signature: `t=${seconds},v1=${signature}` }
}

export const eventOf = (type: string, object: Json) => ({ id: id('evt'), type, data: { object } })
