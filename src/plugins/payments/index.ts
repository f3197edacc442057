import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { PaymentProvider } from '../../lib/payment-provider.ts'
import { Sandbox } from './sandbox.ts'
import { openStripe, type StripeOptions } from './stripe.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Moves the money. Never call it inside a transaction. */
    payments: PaymentProvider
  }
}

/** Requests to Stripe that one process has under way at once. */
const CONNECTIONS = 20
const BOUNDS = { target: 'stripe', timeoutMs: 10_000, maxBytes: 1_048_576 } as const

async function payments(app: FastifyInstance, { stripe }: { stripe: StripeOptions | null }) {
  if (stripe === null) {
    app.decorate('payments', new Sandbox(app.database) as PaymentProvider)
    return
  }
  const client = app.outbound.trusting(stripe.baseUrl, CONNECTIONS)
  app.addHook('onClose', () => client.close())
  app.decorate('payments', (await openStripe(stripe, client.fetch(BOUNDS))) as PaymentProvider)
}

export const paymentsPlugin = fp(payments, { name: 'payments', dependencies: ['database', 'outbound'] })
