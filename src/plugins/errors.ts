import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import findMyWay, { type HTTPMethod } from 'find-my-way'
import { fromDatabase } from '../database/errors.ts'
import { AppError, type FieldError, type Problem, requestErrors } from '../lib/errors.ts'

/** Fastify's own refusals, in the words of the contract. */
const byFastifyCode: Record<string, keyof typeof requestErrors> = {
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'payload_too_large',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'malformed_request',
  FST_ERR_CTP_INVALID_JSON_BODY: 'malformed_request',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_request',
  FST_ERR_BAD_URL: 'malformed_request',
}
const byStatus: Record<number, keyof typeof requestErrors> = {
  400: 'malformed_request',
  404: 'not_found',
  408: 'request_timeout',
  413: 'payload_too_large',
  414: 'uri_too_long',
  415: 'unsupported_media_type',
  429: 'rate_limited',
  503: 'overloaded',
}

const EMPTY_JSON = 'The body is empty; leave out Content-Type or send a JSON value.'

/** What is told of whatever was thrown. */
export function toAppError(error: FastifyError): AppError {
  if (error instanceof AppError) return error
  if (error.validation) return invalid(error)
  const known = byFastifyCode[error.code] ?? byStatus[error.statusCode ?? 0]
  if (known) return requestErrors[known](error.code === 'FST_ERR_CTP_EMPTY_JSON_BODY' ? { detail: EMPTY_JSON } : {})
  return fromDatabase(error) ?? requestErrors.internal_error({ cause: error })
}

/** A field in the body is named by JSON pointer (RFC 6901) as a URI fragment; elsewhere by where it stands. */
function invalid(error: FastifyError): AppError {
  const context = error.validationContext ?? 'body'
  const root = context === 'body' ? '#' : `${context}:`
  const errors = (error.validation ?? []).map(({ instancePath, params, message = 'is not valid' }): FieldError => {
    const property = params.missingProperty ?? params.additionalProperty
    const pointer = `${root}${instancePath}${property === undefined ? '' : `/${property}`}`
    return { pointer, detail: params.additionalProperty === undefined ? message : 'is not a known property' }
  })
  const [first] = errors
  const detail = first && `${first.pointer.replace(/^(#|\w+:)\/?/, '') || context} ${first.detail}`
  return requestErrors.validation_failed({ errors, ...(detail ? { detail } : {}) })
}

/** A refusal is the caller's business; what is ours stands in the log. */
export function logFault(error: AppError, { log }: FastifyRequest): void {
  if (error.status >= 500) log[error.status === 500 ? 'error' : 'warn']({ err: error.cause ?? error }, error.title)
}

async function errors(app: FastifyInstance, { publicUrl }: { publicUrl: string }) {
  const router = findMyWay()
  const methods = new Set<HTTPMethod>()

  app.addHook('onRoute', ({ method, url }) => {
    if (url === '*') return
    for (const verb of [method].flat() as HTTPMethod[]) {
      methods.add(verb)
      if (!router.hasRoute(verb, url)) router.on(verb, url, () => {})
    }
  })

  const toProblem = ({ code, title, status, detail, errors }: AppError, requestId: string): Problem => ({
    type: `${publicUrl}/docs/errors#${code}`,
    title,
    status,
    code,
    ...(detail === undefined ? {} : { detail }),
    requestId,
    ...(errors === undefined ? {} : { errors }),
  })

  const answer = (error: AppError, request: FastifyRequest, reply: FastifyReply) =>
    reply
      .code(error.status)
      .headers(error.headers)
      .header('content-type', 'application/problem+json')
      .header('cache-control', 'no-store')
      .send(JSON.stringify(toProblem(error, request.id)))

  app.setErrorHandler((thrown: FastifyError, request, reply) => {
    const error = toAppError(thrown)
    if (error.status === 401) reply.header('www-authenticate', 'Bearer')
    logFault(error, request)
    return answer(error, request, reply)
  })

  const allowed = (url: string): string => [...methods].filter(verb => router.find(verb, url) !== null).join(', ')

  app.setNotFoundHandler((request, reply) => {
    const allow = allowed(request.url.split('?', 1)[0] as string)
    const error = allow ? requestErrors.method_not_allowed({ headers: { allow } }) : requestErrors.not_found()
    return answer(error, request, reply)
  })
}

export const errorsPlugin = fp(errors, { name: 'errors' })
