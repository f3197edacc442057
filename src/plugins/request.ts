import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { compile } from '@fastify/proxy-addr'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { continued } from '../lib/trace-context.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** W3C trace context: the span of this request, otherwise the trace of the inbound header continued, or a new one. */
    traceparent: string
  }
}

const REQUEST_ID = /^[\w.:-]{1,64}$/
const PREFIX_BYTES = 9

/**
 * Returns a generator of unique ids: a random prefix for the process and a counter, so no request needs random bytes.
 */
function counter(): () => string {
  const prefix = randomBytes(PREFIX_BYTES).toString('base64url')
  let count = 0
  return () => `${prefix}-${(count++).toString(36)}`
}

/**
 * Returns a generator of request ids. An inbound `Request-Id` is used only from a trusted proxy, and only when it is
 * short and plain.
 */
export function requestIds(trustProxy: string[]): (request: IncomingMessage) => string {
  const next = counter()
  if (trustProxy.length === 0) return next
  const trusts = compile(trustProxy)
  return ({ headers, socket }) => {
    const inbound = headers['request-id']
    const usable = typeof inbound === 'string' && REQUEST_ID.test(inbound) && trusts(socket.remoteAddress ?? '', 0)
    return usable ? inbound : next()
  }
}

async function request(app: FastifyInstance) {
  const traces = new WeakMap<object, string>()
  app.decorateRequest('traceparent', {
    getter() {
      const known = traces.get(this) ?? continued(this.headers.traceparent)
      traces.set(this, known)
      return known
    },
    setter(span: string) {
      traces.set(this, span)
    },
  })
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('request-id', request.id)
    done()
  })
}

export const requestPlugin = fp(request, { name: 'request' })
