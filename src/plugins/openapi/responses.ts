import { problems } from '../../lib/errors.ts'
import { referencesTo, usualCodes } from './examples.ts'
import type { Facts, Response } from './operation.ts'

const header = (description: string) => ({ description, schema: { type: 'string' } })
const REQUEST_ID = { 'Request-Id': header('Also in problems and in our logs.') }
const ETAG = { ETag: header('The version of the resource, for `If-None-Match` and `If-Match`.') }
const LOCATION = { Location: header('The path of the new resource, or of what shows the progress.') }
const REDIRECT = { Location: header('Where the browser goes on.') }
const CHALLENGE = {
  'WWW-Authenticate': header('The scheme; with 403 `insufficient_scope` and the scope that a key lacks (RFC 6750).'),
}
const RETRY_AFTER = { 'Retry-After': header('Seconds to wait.') }
const LINK = { Link: header('The next page, `rel="next"`.') }
const REPLAYED = { 'Idempotent-Replayed': header('`true` when this is the kept answer of an earlier request.') }
const POSITION = { 'Write-Position': header('Only with replicas: a read that sends it back sees this change.') }

/** Returns the responses that the route declares and those of all routes of its kind, with headers and examples. */
export function completeResponses(facts: Facts): Record<string, Response> {
  const { method, operation, versioned } = facts
  const implied = impliedProblems(facts)
  const responses = { ...(problems(...implied) as Record<string, Response>), ...operation.responses }
  if (method === 'get' && versioned) responses['304'] = { description: 'Not modified.' }
  for (const [status, response] of Object.entries(responses)) {
    response.headers = { ...response.headers, ...headersOf(facts, Number(status)) }
    const { 'application/problem+json': problem } = response.content ?? {}
    if (!problem) continue
    const { codes = [], ...media } = problem
    const all = codes.length > 0 && !implied.includes(Number(status)) ? codes : [...codes, ...usualCodes(facts, status)]
    response.content = { 'application/problem+json': { ...media, examples: referencesTo(all) } }
  }
  return responses
}

/** Returns the statuses that follow from access rule, method, path and schemas. */
function impliedProblems({ path, method, operation, conditional, resumes, keyed }: Facts): number[] {
  return [
    ...(operation['x-access'].kind === 'public' ? [] : [401, 403]),
    ...(path.includes('{') ? [404] : []),
    ...(keyed ? [409] : []),
    ...(conditional ? [412] : []),
    ...(resumes ? [400] : []),
    // A body is parsed before the server knows that the operation takes none.
    ...(method === 'get' ? [] : [400, 413, 415, 422]),
    ...(operation.parameters?.length ? [422] : []),
    429,
    500,
    503,
  ]
}

function headersOf({ method, operation, versioned, lists, keyed }: Facts, status: number): Record<string, unknown> {
  const success = status < 300
  return {
    ...REQUEST_ID,
    ...(success && versioned ? ETAG : {}),
    ...([201, 202].includes(status) && versioned ? LOCATION : {}),
    ...(status === 302 ? REDIRECT : {}),
    ...(success && lists ? LINK : {}),
    ...(success && keyed ? REPLAYED : {}),
    ...(success && method !== 'get' && operation['x-access'].kind !== 'public' ? POSITION : {}),
    ...(status === 401 || status === 403 ? CHALLENGE : {}),
    ...(status === 429 || status === 503 ? RETRY_AFTER : {}),
  }
}
