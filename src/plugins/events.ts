import type { FastifyInstance, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import type { Transaction } from '../database/client.ts'
import type { Caller } from '../events/caller.ts'
import { RECORDED } from '../events/record.ts'
import { Relay } from '../events/relay.ts'
import type { Claim } from '../lib/idempotency.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * The path parameter that names the row which the route changes, `me` for a row of the caller, or null for none.
     * Derived from method, path and success unless it is given.
     */
    changes?: string | null
  }
  interface FastifyInstance {
    relay: Relay
  }
  interface FastifyRequest {
    /** The caller that every service that writes takes as its first argument: actor, origin and transaction. */
    readonly caller: Caller
    /** The id of the row that the request changes, for which its transaction queues; null when it makes another row. */
    readonly changedId: string | null
    /** Set while the handler runs in the transaction of an idempotency key. */
    transaction: Transaction | null
    /** Set while the handler may keep the answer for its idempotency key itself. */
    claim: Claim | null
  }
}

const USER_AGENT_CHARACTERS = 200

const ME = 'me'

/** Who creates changes no row that others change at the same time. */
function changedBy({ method, url, schema }: RouteOptions): string | undefined {
  if (['GET', 'HEAD', 'OPTIONS'].includes(String(method)) || isCreation(schema?.response)) return undefined
  const name = /\/:(\w+)[^:]*$/.exec(url)?.[1]
  if (name === undefined) return url.includes(`/${ME}`) ? ME : undefined
  const { properties = {} } = (schema?.params ?? {}) as { properties?: Record<string, { format?: string }> }
  return properties[name]?.format === 'uuid' ? name : undefined
}

export const isCreation = (response: unknown): boolean =>
  typeof response === 'object' && response !== null && '201' in response

async function events(app: FastifyInstance, { works }: { works: boolean }) {
  const relay = new Relay(app.database, app.log)
  app.decorate('relay', relay)
  app.database.onCommitted(RECORDED, () => app.signals.hint(RECORDED))
  app.decorateRequest('transaction', null)
  app.decorateRequest('claim', null)
  app.decorateRequest('changedId', {
    getter() {
      const { changes } = this.routeOptions.config
      if (changes == null) return null
      return changes === ME ? (this.actor?.id ?? null) : ((this.params as Record<string, string>)[changes] ?? null)
    },
  })
  app.addHook('onRoute', route => {
    const changes = route.config?.changes === undefined ? changedBy(route) : route.config.changes
    if (changes !== undefined) route.config = { ...route.config, changes }
  })
  app.decorateRequest('caller', {
    getter() {
      const { transaction, changedId } = this
      return {
        actor: this.actor ?? { type: 'system', id: null },
        address: this.address,
        userAgent: this.headers['user-agent']?.slice(0, USER_AGENT_CHARACTERS) ?? null,
        requestId: this.id,
        traceparent: this.headers.traceparent === undefined ? null : this.traceparent,
        joined: transaction !== null,
        claim: this.claim,
        async transaction(work) {
          if (transaction === null) return app.database.transaction(work, changedId)
          if (changedId !== null) await transaction.queue(changedId)
          return work(transaction)
        },
      }
    },
  })
  app.addHook('onReady', async () => {
    if (works) relay.start()
  })
  app.addHook('onClose', () => relay.stop())
}

export const eventsPlugin = fp(events, { name: 'events', dependencies: ['database', 'signals', 'request', 'address'] })
