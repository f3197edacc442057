import type { FastifyInstance } from 'fastify'
import fp from 'fastify-plugin'
import { requestErrors } from '../lib/errors.ts'

/**
 * Refuses requests that Node accepts but a proxy in front may read differently (RFC 9112 §3.2, §6.1): HTTP/1.0 with
 * Transfer-Encoding, an encoding other than chunked, a repeated or missing Host, an absolute-form target, HTTP/0.9.
 */
async function guard(app: FastifyInstance) {
  app.addHook('onRequest', ({ raw }, _reply, done) => {
    const { 'transfer-encoding': encoding } = raw.headers
    const ambiguous =
      raw.url?.charCodeAt(0) !== '/'.charCodeAt(0) ||
      (raw.httpVersionMinor !== 1 && (raw.httpVersionMajor === 0 || encoding !== undefined)) ||
      (encoding !== undefined && encoding.toLowerCase() !== 'chunked') ||
      hosts(raw.rawHeaders) > 1 ||
      (raw.httpVersionMinor === 1 && raw.headers.host === undefined)
    done(ambiguous ? requestErrors.malformed_request() : undefined)
  })
}

function hosts(rawHeaders: string[]): number {
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string
    if (name.length === 'host'.length && name.toLowerCase() === 'host') count++
  }
  return count
}

export const guardPlugin = fp(guard, { name: 'guard' })
