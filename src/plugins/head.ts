import type { FastifyInstance, onSendHookHandler } from 'fastify'
import fp from 'fastify-plugin'

/**
 * HEAD does everything that GET does, but sends no body (RFC 9110 §9.3.2). This replaces Fastify's own hook, which runs
 * first and so prevents the compression hook from setting the headers of GET.
 */
async function head(app: FastifyInstance) {
  app.addHook('onRoute', route => {
    if (route.method !== 'HEAD') return
    const [, ...others] = [route.onSend ?? []].flat()
    route.onSend = [...others, withoutBody]
  })
}

/** Sets the Content-Length of GET when it is known; otherwise leaves it out. */
const withoutBody: onSendHookHandler = (_request, reply, payload, done) => {
  if (typeof payload === 'string' || Buffer.isBuffer(payload))
    reply.header('content-length', String(Buffer.byteLength(payload)))
  else if (isStream(payload)) payload.on('error', () => {}).resume()
  done(null, null)
}

const isStream = (payload: unknown): payload is NodeJS.ReadableStream =>
  typeof (payload as NodeJS.ReadableStream | null)?.resume === 'function'

export const headPlugin = fp(head, { name: 'head', dependencies: ['compression'] })
