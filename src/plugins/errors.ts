import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import findMyWay, { type HTTPMethod } from 'find-my-way'
import { fromDatabase } from '../database/errors.ts'
import { AppError, type FieldError, type Problem, requestErrors } from '../lib/errors.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Returns the problem of an error, for an answer that has begun before it. */
    problemOf(error: AppError, request: FastifyRequest): Problem
  }
}

/** Maps Fastify's own errors to errors of the API. */
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

/** Returns the error that the client sees for anything that was thrown. */
export function toAppError(error: FastifyError): AppError {
  if (error instanceof AppError) return error
  if (error.validation) return invalid(error)
  const known = byFastifyCode[error.code] ?? byStatus[error.statusCode ?? 0]
  if (known) return requestErrors[known](error.code === 'FST_ERR_CTP_EMPTY_JSON_BODY' ? { detail: EMPTY_JSON } : {})
  return fromDatabase(error) ?? requestErrors.internal_error({ cause: error })
}

/** Names a field in the body by JSON pointer as a URI fragment (RFC 6901 §6), and any other value by its name. */
function invalid(error: FastifyError): AppError {
  const context = error.validationContext ?? 'body'
  const errors = (error.validation ?? []).map(fault => {
    const path = pathOf(fault)
    const detail = detailOf(fault, context)
    return {
      name: path.slice(1),
      field: context === 'body' ? { pointer: fragmentOf(path), detail } : inParameter(path, detail),
    }
  })
  const [first] = errors
  const detail = first && `${first.name || context} ${first.field.detail}`
  return requestErrors.validation_failed({ errors: errors.map(({ field }) => field), ...(detail ? { detail } : {}) })
}

/** Logs only server errors: a refused request concerns only its caller, also one that too much load alone has refused. */
export function logFault(error: AppError, { log }: FastifyRequest): void {
  const isRefusal = error.status < 500 || (error.code === requestErrors.overloaded.code && error.cause === undefined)
  if (!isRefusal) log[error.status === 500 ? 'error' : 'warn']({ err: error.cause ?? error }, error.title)
}

type Fault = NonNullable<FastifyError['validation']>[number]

/** Returns the path of the invalid value; for a missing or unknown property, the path ends with its name. */
function pathOf({ instancePath, params }: Fault): string {
  const property = params.missingProperty ?? params.additionalProperty
  if (property === undefined) return instancePath
  return `${instancePath}/${String(property).toWellFormed().replaceAll('~', '~0').replaceAll('/', '~1')}`
}

const fragmentOf = (path: string): string => `#${encodeURI(path).replaceAll('#', '%23')}`

/** Names the parameter, also for one of several values of it. */
const inParameter = (path: string, detail: string): FieldError => ({ parameter: path.split('/', 2)[1] ?? '', detail })

function detailOf({ keyword, params, message = 'is not valid' }: Fault, context: string): string {
  if (keyword === 'enum') return `must be one of ${(params.allowedValues as unknown[]).map(String).join(', ')}`
  if (keyword === 'const') return `must be ${params.allowedValue}`
  if (params.additionalProperty === undefined) return message
  return context === 'body' ? 'is not a known property' : 'is not a known parameter'
}

export const problemOf = (
  { code, title, status, detail, errors }: AppError,
  requestId: string,
  publicUrl: string,
): Problem => ({
  type: `${publicUrl}/docs/errors#${code}`,
  title,
  status,
  code,
  ...(detail === undefined ? {} : { detail }),
  requestId,
  ...(errors === undefined ? {} : { errors }),
})

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

  app.decorate('problemOf', (error, request) => problemOf(error, request.id, publicUrl))

  const answer = (error: AppError, request: FastifyRequest, reply: FastifyReply) =>
    reply
      .code(error.status)
      .headers(error.headers)
      .header('content-type', 'application/problem+json')
      .header('cache-control', 'no-store')
      .send(JSON.stringify(problemOf(error, request.id, publicUrl)))

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
