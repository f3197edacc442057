import type { IncomingMessage } from 'node:http'
import { compile } from '@fastify/proxy-addr'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { Counter } from 'prom-client'
import { addressOfNode, plainAddress } from '../lib/addresses.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Of the client: what the trusted proxies saw, else of the connection. Always an address, whatever a header says. */
    address: string
  }
}

const peerOf = ({ socket }: IncomingMessage): string => plainAddress(socket.remoteAddress ?? '')

/**
 * Finds out whose request it is. `Forwarded` is not read: a proxy that appends to `X-Forwarded-For` passes it on as the
 * client wrote it.
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
 * What the proxies saw, from the nearest to the farthest: each appends the one that it was asked by, so that the first who
 * is no proxy is the client, and whatever stands before it is hearsay.
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
      // An empty element of a list says nothing (RFC 9110 §5.6.1.2).
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

/** Many clients have become one, with the limits of one: whoever runs the proxy has to know. */
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
