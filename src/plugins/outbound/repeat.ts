import { OutboundError, type OutboundKind } from './errors.ts'
import type { OutboundAnswer } from './messages.ts'

type Outcome = OutboundAnswer | Error

/** What can be different the next time. */
const PASSING_KINDS: ReadonlySet<OutboundKind> = new Set(['dns', 'connect', 'timeout', 'reset'])
const PASSING_STATUSES: ReadonlySet<number> = new Set([429, 502, 503, 504])

const FIRST_MS = 200
const MAX_MS = 5_000

/** Whether another attempt can succeed where this one did not. */
export const mayRepeat = (outcome: Outcome): boolean =>
  outcome instanceof Error
    ? outcome instanceof OutboundError && PASSING_KINDS.has(outcome.kind)
    : PASSING_STATUSES.has(outcome.status)

/**
 * Milliseconds to wait after an attempt: what `Retry-After` says, or twice as long each time, with a half of it by chance so
 * that many who failed together do not come back together. Undefined where it is longer than somebody should wait here.
 */
export function waitBefore(attempt: number, outcome: Outcome): number | undefined {
  const asked = outcome instanceof Error ? undefined : retryAfterMs(outcome)
  if (asked !== undefined) return asked > MAX_MS ? undefined : asked
  return Math.min(FIRST_MS * 2 ** (attempt - 1), MAX_MS) * (0.5 + Math.random() / 2)
}

/** Of seconds or of a date (RFC 9110 §10.2.3). */
export function retryAfterMs({ headers }: Pick<OutboundAnswer, 'headers'>): number | undefined {
  const value = headers['retry-after']
  if (typeof value !== 'string') return undefined
  const ms = /^\d+$/.test(value) ? Number(value) * 1000 : Date.parse(value) - Date.now()
  return Number.isNaN(ms) ? undefined : Math.max(0, ms)
}
