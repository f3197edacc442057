import { type Static, Type } from '@sinclair/typebox'

/** One error code of the API, declared once: status, title and what a caller can do about it. */
export interface ErrorDefinition {
  status: number
  title: string
  /** The cause, then what to do about it: one sentence each, for the error page. */
  help: string
  /** The database constraint that causes this error. */
  constraint?: string
  /** True for a problem that keeps an account from being deleted, in any domain; `DELETE /users/me` returns it. */
  keepsAccount?: true
  /** Seconds after which the same request may succeed. */
  retryAfter?: number
}

/** One invalid value: in the body it is named by JSON pointer, in the path, the query or a header by its name. */
export const FieldError = Type.Object(
  {
    pointer: Type.Optional(
      Type.String({ description: 'Where in the body: a JSON pointer (RFC 6901) into it.', examples: ['#/email'] }),
    ),
    parameter: Type.Optional(
      Type.String({ description: 'In its place: the name of what is wrong in the path, the query or a header.' }),
    ),
    detail: Type.String({ description: 'What is wrong there.', examples: ['must be an email address'] }),
  },
  {
    title: 'FieldError',
    description: 'One value that the request got wrong.',
    examples: [{ pointer: '#/email', detail: 'must be an email address' }],
  },
)
export type FieldError = Static<typeof FieldError>

interface Details {
  detail?: string
  errors?: FieldError[]
  headers?: Record<string, string>
  cause?: unknown
}

/** RFC 9457 problem details with `code`, `requestId` and, for validation, `errors`. */
export const Problem = Type.Object(
  {
    type: Type.String({ format: 'uri', description: 'Leads to the explanation of the code.' }),
    title: Type.String({ description: 'What the code means; the same for every occurrence.' }),
    status: Type.Integer({ description: 'The status of the answer.' }),
    code: Type.String({ description: 'Stable and in snake_case: what a program decides by.' }),
    detail: Type.Optional(Type.String({ description: 'What is particular to this occurrence, for people.' })),
    requestId: Type.String({ description: 'The `Request-Id` of the answer; our logs know it.' }),
    errors: Type.Optional(Type.Array(FieldError, { description: 'What is wrong, each by its place.' })),
  },
  { title: 'Problem', description: 'Problem details (RFC 9457).' },
)
export type Problem = Static<typeof Problem>

/** An error that the client sees: everything but `cause` is part of the response. */
export class AppError extends Error {
  readonly code: string
  readonly status: number
  readonly title: string
  readonly detail: string | undefined
  readonly errors: FieldError[] | undefined
  readonly headers: Record<string, string>

  constructor(code: string, definition: ErrorDefinition, { detail, errors, headers, cause }: Details = {}) {
    super(detail ?? definition.title, { cause })
    this.code = code
    this.status = definition.status
    this.title = definition.title
    this.detail = detail
    this.errors = errors
    this.headers = {
      ...(definition.retryAfter === undefined ? {} : { 'retry-after': String(definition.retryAfter) }),
      ...headers,
    }
  }
}

export interface ErrorFactory {
  (details?: Details): AppError
  readonly code: string
  readonly status: number
}

const catalogue = new Map<string, ErrorDefinition>()
const byConstraint = new Map<string, ErrorFactory>()

/** Declares error codes: `const taskErrors = defineErrors({ task_not_found: {…} })`, thrown as `taskErrors.task_not_found()`. */
export function defineErrors<const D extends Record<string, ErrorDefinition>>(definitions: D) {
  const factories = Object.entries(definitions).map(([code, definition]) => {
    const make = (details?: Details) => new AppError(code, definition, details)
    const factory: ErrorFactory = Object.assign(make, { code, status: definition.status })
    catalogue.set(code, definition)
    if (definition.constraint) byConstraint.set(definition.constraint, factory)
    return [code, factory]
  })
  return Object.fromEntries(factories) as { [code in keyof D]: ErrorFactory }
}

/** Every declared error, by its code, for the error page. */
export const errorCatalogue: ReadonlyMap<string, ErrorDefinition> = catalogue

/** The problems of all domains that keep an account from being deleted. */
export const accountProblems = () =>
  Array.from(catalogue, ([code, definition]) => ({ code, ...definition })).filter(({ keepsAccount }) => keepsAccount)

export const errorOfConstraint = (name: string): ErrorFactory | undefined => byConstraint.get(name)

const names: Record<number, string> = {
  400: 'The request is malformed.',
  401: 'No credentials, or credentials that are not valid.',
  403: 'The caller is known and lacks the role or scope.',
  404: 'Not found, or in a tenant that the caller does not belong to.',
  405: 'The path does not know this method.',
  409: 'In conflict with the present state.',
  410: 'Gone: it existed and was deleted.',
  412: 'A condition does not hold: `If-Match` names another version, or `If-None-Match` this one.',
  413: 'The body is too large.',
  415: 'The media type, its charset or the encoding of the body is not supported.',
  422: 'The request does not fit its schema.',
  429: 'Too many requests.',
  500: 'A fault of the server.',
  502: 'A service that the operation needs could not be reached, or gave no valid answer.',
  503: 'Overloaded or without its database; try again.',
  504: 'A service that the operation needs did not answer in time.',
}

/**
 * Returns the problem responses of a route: `response: { 200: Task, ...problems(404, taskErrors.project_archived) }`.
 * Error factories add their codes to the OpenAPI document. The type is empty, because a handler throws problems and
 * does not return them.
 */
export function problems(...all: (number | Pick<ErrorFactory, 'code' | 'status'>)[]): Record<never, never> {
  const byStatus = Map.groupBy(all, problem => (typeof problem === 'number' ? problem : problem.status))
  return Object.fromEntries(
    Array.from(byStatus, ([status, some]) => {
      const codes = some.flatMap(problem => (typeof problem === 'number' ? [] : problem.code))
      const content = { 'application/problem+json': { schema: Problem, codes } }
      return [status, { description: names[status] ?? 'A problem.', content }]
    }),
  )
}

/** The errors that any route may return. */
export const requestErrors = defineErrors({
  malformed_request: {
    status: 400,
    title: 'Malformed request',
    help: 'The request or its JSON cannot be parsed, or two servers could read it differently. Send one well-formed HTTP/1.1 request with valid JSON; `detail` says more where there is more to say.',
  },
  cursor_invalid: {
    status: 400,
    title: 'Cursor not valid',
    help: 'The cursor is not one of ours, or was cut off or changed on the way. Send `meta.nextCursor` back exactly as received, or start without a cursor.',
  },
  cursor_mismatch: {
    status: 400,
    title: 'Cursor belongs to another query',
    help: 'A cursor belongs to the path, the sort and the filters it was issued for, and one of them is another now. Repeat them unchanged, or start without a cursor.',
  },
  unauthenticated: {
    status: 401,
    title: 'Authentication required',
    help: 'There is no valid credential: none was sent, it is malformed or expired, its session has ended, or the API key was revoked. Send `Authorization: Bearer` with an access token or an API key; a token that has expired after its 15 minutes is renewed at `POST /api/v1/auth/refresh`.',
  },
  forbidden: {
    status: 403,
    title: 'Not allowed',
    help: 'You are known, and your role, or the scopes of your API key, do not cover this operation; `detail` names what is missing. Ask an admin for the role or a key with the scope; routes for users only take no key at all.',
  },
  not_found: {
    status: 404,
    title: 'Not found',
    help: 'The path is wrong, the resource is gone, or it belongs to an organization that you are not a member of, which looks the same. Check the id and with whose credentials you call.',
  },
  method_not_allowed: {
    status: 405,
    title: 'Method not allowed',
    help: 'The path exists, but not with this method. Use one that the `Allow` header lists.',
  },
  request_timeout: {
    status: 408,
    title: 'Request took too long to arrive',
    help: 'The request did not arrive completely within 10 seconds, or a file came more slowly than 100 kB in 10 seconds. Send it again over a faster connection, or in smaller parts.',
  },
  precondition_failed: {
    status: 412,
    title: 'The resource is not as the request expects',
    help: 'Somebody changed the resource after you read the version in your `If-Match`, or your `If-None-Match` asks for something that is not there yet; nothing was done. Read it again, apply your change to the new state and send the new `ETag`, quoted and without `W/`.',
  },
  payload_too_large: {
    status: 413,
    title: 'Request body too large',
    help: 'A JSON body may have 1 MiB, and this one is larger. Send less at a time: split a bulk request.',
  },
  uri_too_long: {
    status: 414,
    title: 'Request target too long',
    help: 'The path and query are longer than the server reads. Shorten the query string.',
  },
  unsupported_media_type: {
    status: 415,
    title: 'Unsupported media type',
    help: 'The body is not of a type that this operation reads, or in another charset than UTF-8, or in a `Content-Encoding`. Send `Content-Type: application/json` and the JSON as it is, or no body where none is wanted.',
  },
  validation_failed: {
    status: 422,
    title: 'Request validation failed',
    help: 'A value does not fit the schema of the operation: unknown properties are refused, nothing is coerced and nothing is dropped. `errors` names each, in a body by JSON pointer (`pointer`), in the path, the query or a header by its name (`parameter`); correct them and send the request again.',
  },
  rate_limited: {
    status: 429,
    title: 'Too many requests',
    help: 'This address, account, user or API key has made more requests, or the recipient is to be sent more mails, than the limit in `RateLimit-Policy` allows. Wait for the seconds in `Retry-After`, and spread requests out.',
  },
  headers_too_large: {
    status: 431,
    title: 'Request headers too large',
    help: 'All headers together are larger than the server reads. Send fewer or shorter ones; cookies are a common cause.',
  },
  internal_error: {
    status: 500,
    title: 'Internal error',
    help: 'A fault on our side, logged under the `requestId`. Try once more; if it stays, report the `requestId`.',
  },
  overloaded: {
    status: 503,
    title: 'Overloaded',
    retryAfter: 1,
    help: 'More is asked for than the server can do in time, so it refuses early. Wait for the seconds in `Retry-After`, then repeat the request.',
  },
  database_unavailable: {
    status: 503,
    title: 'Database unavailable',
    retryAfter: 1,
    help: 'The database does not answer at the moment. Repeat the request after `Retry-After`; with an `Idempotency-Key` a write cannot happen twice.',
  },
  handler_timeout: {
    status: 503,
    title: 'The answer took too long',
    retryAfter: 1,
    help: 'The answer was not ready in time, and what was begun may or may not have happened. Repeat the request after `Retry-After`; with an `Idempotency-Key` a write cannot happen twice.',
  },
})

/** Returns a 403 that names what is missing: in words, and the scope also for programs (RFC 6750 §3.1). */
export const lacking = (detail: string, scope?: string): AppError =>
  requestErrors.forbidden({
    detail,
    headers: {
      'www-authenticate': `Bearer error="insufficient_scope"${scope === undefined ? '' : `, scope="${scope}"`}`,
    },
  })

/** Returns `validation_failed` for a value in the path, the query or a header that its schema cannot check. */
export const invalidParameter = (parameter: string, detail: string): AppError =>
  requestErrors.validation_failed({ detail: `${parameter} ${detail}`, errors: [{ parameter, detail }] })

/** Returns `validation_failed` for a field that only the data can check: `invalid('#/userId', 'is not a member')`. */
export const invalid = (pointer: string, detail: string): AppError =>
  requestErrors.validation_failed({ detail: `${pointer.slice(2)} ${detail}`, errors: [{ pointer, detail }] })

/** Returns the row. Throws `not_found` when it is undefined. */
export function orNotFound<T>(row: T | undefined): T {
  if (row === undefined) throw requestErrors.not_found()
  return row
}

/** Applies the condition of `versionMatches` to a row that was read. */
const meetsCondition = (version: number, ifMatch: number[] | null): boolean =>
  ifMatch === null || ifMatch.includes(version) || ((ifMatch[0] ?? 0) < 0 && !ifMatch.includes(-version))

/** Checks the version of a row that is locked until the commit. Throws `precondition_failed`. */
export function requireVersion({ version }: { version: number }, ifMatch: number[] | null): void {
  if (!meetsCondition(version, ifMatch)) throw requestErrors.precondition_failed()
}

/**
 * Returns the row of a write under `If-Match`. Throws `precondition_failed` when it is undefined, because the access
 * rule has already found the resource; `not_found` without a condition.
 */
export function orPreconditionFailed<T>(row: T | undefined, ifMatch: number[] | null): T {
  if (row === undefined) throw ifMatch ? requestErrors.precondition_failed() : requestErrors.not_found()
  return row
}

/** Whether the request was neither granted nor refused, because a dependency is unavailable. */
export const isUnavailable = (error: unknown): boolean => error instanceof AppError && error.status === 503
