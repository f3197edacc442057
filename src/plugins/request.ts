import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { compile } from '@fastify/proxy-addr'
import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'

declare module 'fastify' {
  interface FastifyRequest {
    /** W3C trace context: the trace of the inbound header continued, or a new one. */
    readonly traceparent: string
  }
}

const REQUEST_ID = /^[\w.:-]{1,64}$/
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})$/
const SPAN_BYTES = 8
const TRACE_BYTES = 16

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

/** Returns the inbound trace with a new span, or a new trace (W3C Trace Context §3.2). */
function continued(inbound: unknown): string {
  const [, trace, flags] = (typeof inbound === 'string' && TRACEPARENT.exec(inbound)) || []
  const span = randomBytes(SPAN_BYTES).toString('hex')
  return `00-${trace ?? randomBytes(TRACE_BYTES).toString('hex')}-${span}-${flags ?? '00'}`
}

async function request(app: FastifyInstance) {
  const traces = new WeakMap<object, string>()
  app.decorateRequest('traceparent', {
    getter() {
      const known = traces.get(this) ?? continued(this.headers.traceparent)
      traces.set(this, known)
      return known
    },
  })
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('request-id', request.id)
    done()
  })
}

export const requestPlugin = fp(request, { name: 'request' })
