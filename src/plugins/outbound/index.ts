import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { AllowList } from '../../lib/allow-list.ts'
import { OutboundClient } from './client.ts'
import { observer } from './metrics.ts'
import { resolver } from './resolve.ts'

declare module 'fastify' {
  interface FastifyInstance {
    outbound: OutboundClient
  }
}

interface OutboundOptions {
  outboundAllow: string[]
  outboundPorts: number[]
  outboundHttp: boolean
}

async function outbound(
  app: FastifyInstance,
  { outboundAllow, outboundPorts: ports, outboundHttp: http }: OutboundOptions,
) {
  const allow = new AllowList(outboundAllow)
  // Undici costs 130 ms of a start and 29 MB, so it is loaded on the first request.
  const open = async (allow: AllowList, connections?: number) =>
    (await import('./agent.ts')).guardedAgent(allow, resolver(), { connections })
  const client = new OutboundClient({ allow, ports, http }, open, {
    observe: observer(app.metrics),
    tracing: app.tracing,
  })
  app.decorate('outbound', client)
  app.addHook('onClose', () => client.close())
}

export const outboundPlugin = fp(outbound, { name: 'outbound', dependencies: ['observability'] })
