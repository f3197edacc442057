import type { IncomingMessage } from 'node:http'
import { compile } from '@fastify/proxy-addr'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Counter } from 'prom-client'
import { addressOfNode, plainAddress } from '../lib/addresses.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /**
     * The address of the client: from trusted proxies, else from the connection. It is always a valid address, whatever
     * the headers contain.
     */
    address: string
  }
}

const peerOf = ({ socket }: IncomingMessage): string => plainAddress(socket.remoteAddress ?? '')

/**
 * Sets `request.address`. The header `Forwarded` is not read: a proxy that appends to `X-Forwarded-For` passes
 * `Forwarded` on as the client wrote it.
 */
async function address(app: FastifyInstance, { trustProxy }: { trustProxy: string[] }) {
  app.decorateRequest('address', '')
  const addressOf = trustProxy.length === 0 ? peerOf : forwardedAddress(trustProxy, unreadable(app))
  app.addHook('onRequest', (request, _reply, done) => {
    request.address = addressOf(request.raw)
    done()
  })
}

/**
 * Returns a function that reads the client's address from `X-Forwarded-For`, from the nearest proxy to the farthest.
 * Each proxy appends the address that connected to it, so the first address that is not a trusted proxy is the client;
 * entries before it may be forged.
 */
export function forwardedAddress(trustProxy: string[], onUnreadable: (peer: string) => void) {
  const trusts = compile(trustProxy)
  return (request: IncomingMessage): string => {
    const peer = peerOf(request)
    const header = request.headers['x-forwarded-for']
    if (typeof header !== 'string' || !trusts(peer, 0)) return peer
    let seen = peer
    for (const node of header.split(',').reverse()) {
      const text = node.trim()
      // Empty list elements are ignored (RFC 9110 §5.6.1.2).
      if (text === '') continue
      const next = addressOfNode(text)
      if (next === undefined) {
        onUnreadable(peer)
        return peer
      }
      seen = next
      if (!trusts(seen, 0)) break
    }
    return seen
  }
}

/** Counts and warns once: many clients now share the limits of one, and the operator of the proxy has to know. */
function unreadable(app: FastifyInstance): (peer: string) => void {
  const counter = new Counter({
    name: 'forwarded_addresses_unreadable_total',
    help: 'Requests whose client a trusted proxy named in a form that is no address; they count as the proxy’s own.',
    registers: [app.metrics],
  })
  let hasWarned = false
  return peer => {
    counter.inc()
    if (hasWarned) return
    hasWarned = true
    app.log.warn({ peer }, 'a trusted proxy names clients by something that is no address: they share its limits')
  }
}

export const addressPlugin = fp(address, { name: 'address', dependencies: ['observability'] })
