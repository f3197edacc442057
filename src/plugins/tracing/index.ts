import type { FastifyInstance, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Span, Tracing } from '../../lib/tracing.ts'
import type { TracingOptions } from './sdk.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Null where nobody collects spans. */
    tracing: Tracing | null
  }
}

/** A request is a span from its arrival to the end of its connection's answer; what it causes belongs to its trace. */
async function tracing(app: FastifyInstance, { tracing: options }: { tracing: TracingOptions | null }) {
  if (options === null) {
    app.decorate('tracing', null)
    return
  }
  // The libraries cost 20 MB and some time of each start.
  const { startTracing } = await import('./sdk.ts')
  const started = startTracing(options, app.log)
  app.decorate('tracing', started)
  // Registered before the others, so what they do while they close is recorded too.
  app.addHook('onClose', () => started.stop())

  const spans = new WeakMap<FastifyRequest, Span>()
  app.addHook('onRequest', (request, reply, done) => {
    const { config, url: route = '' } = request.routeOptions
    if (config.operation === undefined) return done()
    const { method, headers } = request
    const span = started.begin(`${method} ${route}`, {
      kind: 'server',
      parent: headers.traceparent as string | undefined,
      attributes: { 'http.request.method': method, 'http.route': route, 'url.scheme': request.protocol },
    })
    spans.set(request, span)
    request.traceparent = span.traceparent
    reply.raw.once('close', () => {
      const { statusCode } = reply
      const attributes = { 'http.response.status_code': statusCode, 'lintel.request_id': request.id }
      span.end(attributes, statusCode >= 500)
    })
    span.within(done)
  })
  // The parts of a body come as events of the socket, which know of no span.
  app.addHook('preValidation', (request, _reply, done) => {
    const span = spans.get(request)
    if (span) span.within(done)
    else done()
  })
}

export const tracingPlugin = fp(tracing, { name: 'tracing' })
