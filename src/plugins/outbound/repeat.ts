import { retryAfterMs } from '../../lib/retry-after.ts'
import { OutboundError, type OutboundKind } from './errors.ts'
import type { OutboundAnswer } from './messages.ts'

type Outcome = OutboundAnswer | Error

/** Kinds of errors that may not occur the next time. */
const PASSING_KINDS: ReadonlySet<OutboundKind> = new Set(['dns', 'connect', 'timeout', 'reset'])
const PASSING_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504])

const FIRST_MS = 200
const MAX_MS = 5_000

/** Whether another attempt may succeed. */
export const mayRepeat = (outcome: Outcome): boolean =>
  outcome instanceof Error
    ? outcome instanceof OutboundError && PASSING_KINDS.has(outcome.kind)
    : PASSING_STATUSES.has(outcome.status)

/**
 * Returns the milliseconds to wait after an attempt: the value of `Retry-After`, or a delay that doubles each time,
 * half of it random, so that many clients do not repeat together. Undefined when `Retry-After` is longer than `MAX_MS`.
 */
export function waitBefore(attempt: number, outcome: Outcome): number | undefined {
  const asked = outcome instanceof Error ? undefined : retryAfterMs(outcome.headers['retry-after'])
  if (asked !== undefined) return asked > MAX_MS ? undefined : asked
  return Math.min(FIRST_MS * 2 ** (attempt - 1), MAX_MS) * (0.5 + Math.random() / 2)
}
