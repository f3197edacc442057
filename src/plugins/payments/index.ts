import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { PaymentProvider } from '../../lib/payment-provider.ts'
import { Sandbox } from './sandbox.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Moves the money. Never call it inside a transaction. */
    payments: PaymentProvider
  }
}

async function payments(app: FastifyInstance) {
  app.decorate('payments', new Sandbox(app.database) as PaymentProvider)
}

export const paymentsPlugin = fp(payments, { name: 'payments', dependencies: ['database'] })
