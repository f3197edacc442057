import { isUtf8 } from 'node:buffer'
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { type AppError, requestErrors } from '../lib/errors.ts'

const JSON_TYPE = 'application/json'
const CHARSET = /;\s*charset\s*=\s*"?([^";\s]*)/gi
const UTF_8 = /^utf-?8$/i
const UNSUPPORTED_ENCODING = {
  detail: 'The body has a Content-Encoding; send it as it is.',
  // RFC 9110 §15.5.16: names the accepted encoding.
  headers: { 'accept-encoding': 'identity' },
}

type Done = (error?: Error) => void

/**
 * Checks a body before it is parsed: it must be UTF-8 without a content encoding (RFC 8259 §8.1). An operation without
 * a body accepts an empty one with any media type, because many clients send one with every DELETE.
 */
async function body(app: FastifyInstance) {
  const parse = app.getDefaultJsonParser('error', 'error')
  app.removeContentTypeParser(JSON_TYPE)
  app.addContentTypeParser<Buffer>(JSON_TYPE, { parseAs: 'buffer' }, (request, bytes, done) => {
    if (bytes.length === 0 && mayBeEmpty(request)) done(null, undefined)
    else if (!isUtf8(bytes)) done(requestErrors.malformed_request({ detail: 'The body is not UTF-8.' }))
    // `toString` keeps a byte order mark and the parser skips it, as RFC 8259 allows.
    else void parse(request, bytes.toString(), done)
  })
  // Any other media type, of unknown length: it is accepted when the body is empty.
  app.addContentTypeParser('*', (request, payload, done) => {
    if (request.is404) return done(null, undefined)
    firstOf(payload, isThere => {
      done(isThere || !mayBeEmpty(request) ? requestErrors.unsupported_media_type() : null, undefined)
    })
  })
  app.addHook('onRoute', route => {
    if (['GET', 'HEAD', 'OPTIONS'].includes(String(route.method))) return
    route.onRequest = [...[route.onRequest ?? []].flat(), refuseEncoded]
  })
}

/** Calls `answer` with whether the body has any bytes; reads no further. */
function firstOf(payload: Readable, answer: (isThere: boolean) => void): void {
  const onData = () => settle(true)
  const onEnd = () => settle(false)
  const settle = (isThere: boolean) => {
    payload.off('data', onData).off('end', onEnd).off('error', onData)
    answer(isThere)
  }
  payload.on('data', onData).on('end', onEnd).on('error', onData)
}

function refuseEncoded(request: FastifyRequest, _reply: FastifyReply, done: Done): void {
  const { headers } = request
  const { 'content-type': type } = headers
  if (headers['content-encoding'] === undefined && (type === undefined || type === JSON_TYPE) && !isEmpty(headers))
    done()
  else done(refusal(request))
}

type Headers = FastifyRequest['headers']

const isEmpty = (headers: Headers): boolean =>
  headers['transfer-encoding'] === undefined && Number(headers['content-length'] ?? 0) === 0

function refusal(request: FastifyRequest): AppError | undefined {
  const { headers } = request
  const { 'content-type': type = '', 'content-encoding': encoding = '' } = headers
  if (isEmpty(headers)) {
    // Without a body the media type means nothing.
    if (mayBeEmpty(request)) delete headers['content-type']
    return undefined
  }
  if (!['', 'identity'].includes(encoding.trim().toLowerCase()))
    return requestErrors.unsupported_media_type(UNSUPPORTED_ENCODING)
  const charsets = Array.from(type.matchAll(CHARSET), ([, charset]) => charset as string)
  return charsets.every(charset => UTF_8.test(charset))
    ? undefined
    : requestErrors.unsupported_media_type({ detail: 'The body has another charset than UTF-8.' })
}

/** Whether the operation takes no body or the body is optional. */
function mayBeEmpty({ routeOptions }: FastifyRequest): boolean {
  const schema = routeOptions.schema?.body as { type?: string | string[] } | undefined
  return schema === undefined || [schema.type].flat().includes('null')
}

export const bodyPlugin = fp(body, { name: 'body', dependencies: ['errors'] })
