import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import type { Transaction } from '../database/client.ts'
import type { Caller } from '../events/caller.ts'
import { Relay } from '../events/relay.ts'
import type { Claim } from '../lib/idempotency.ts'

declare module 'fastify' {
  interface FastifyInstance {
    relay: Relay
  }
  interface FastifyRequest {
    /** The caller that every service that writes takes as its first argument: actor, origin and transaction. */
    readonly caller: Caller
    /** Set while the handler runs in the transaction of an idempotency key. */
    transaction: Transaction | null
    /** Set while the handler may keep the answer for its idempotency key itself. */
    claim: Claim | null
  }
}

const USER_AGENT_CHARACTERS = 200

async function events(app: FastifyInstance, { works }: { works: boolean }) {
  const relay = new Relay(app.database, app.log)
  app.decorate('relay', relay)
  app.decorateRequest('transaction', null)
  app.decorateRequest('claim', null)
  app.decorateRequest('caller', {
    getter() {
      const { transaction } = this
      return {
        actor: this.actor ?? { type: 'system', id: null },
        address: this.address,
        userAgent: this.headers['user-agent']?.slice(0, USER_AGENT_CHARACTERS) ?? null,
        requestId: this.id,
        traceparent: this.headers.traceparent === undefined ? null : this.traceparent,
        joined: transaction !== null,
        claim: this.claim,
        transaction: work => (transaction === null ? app.database.transaction(work) : work(transaction)),
      }
    },
  })
  app.addHook('onReady', async () => {
    if (works) relay.start()
  })
  app.addHook('onClose', () => relay.stop())
}

export const eventsPlugin = fp(events, { name: 'events', dependencies: ['database', 'request', 'address'] })
