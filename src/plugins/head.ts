import type { FastifyInstance, onSendHookHandler } from 'fastify'
import fp from 'fastify-plugin'

/**
 * HEAD runs as GET does to the very end, and then sends no body (RFC 9110 §9.3.2). It takes the place of the library's own
 * hook, which comes first and so keeps compression from saying what GET would get.
 */
async function head(app: FastifyInstance) {
  app.addHook('onRoute', route => {
    if (route.method !== 'HEAD') return
    const [, ...others] = [route.onSend ?? []].flat()
    route.onSend = [...others, withoutBody]
  })
}

/** The length is that of GET where it is known, and is left out otherwise. */
const withoutBody: onSendHookHandler = (_request, reply, payload, done) => {
  if (typeof payload === 'string' || Buffer.isBuffer(payload))
    reply.header('content-length', String(Buffer.byteLength(payload)))
  else if (isStream(payload)) payload.on('error', () => {}).resume()
  done(null, null)
}

const isStream = (payload: unknown): payload is NodeJS.ReadableStream =>
  typeof (payload as NodeJS.ReadableStream | null)?.resume === 'function'

export const headPlugin = fp(head, { name: 'head', dependencies: ['compression'] })
