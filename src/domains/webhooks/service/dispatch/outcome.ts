import { AppError } from '../../../../lib/errors.ts'
import { retryAfterMs } from '../../../../lib/retry-after.ts'
import type { Attempt } from '../../tables.ts'
import { pauseAfter } from './schedule.ts'

/** What is kept of an answer. */
const ANSWER_CHARACTERS = 1_000
const GONE = 410
/** Statuses with which a receiver may say when to come back (RFC 9110 §10.2.3, RFC 6585 §4). */
const BUSY: readonly number[] = [429, 503]

export interface Answer {
  status: number
  headers: Record<string, string | string[] | undefined>
  body: Buffer
}

/** What became of an attempt. */
export interface Outcome {
  state: 'delivered' | 'pending' | 'failed'
  /** The pause before the next attempt; null when there is none. */
  delayMs: number | null
  attempt: Attempt
  /** Whether it says anything about the receiver. */
  wasSent: boolean
  /** How long the receiver wants no attempt at all. */
  retryAfterMs: number
  /** Why the endpoint gets no more deliveries. */
  disables: 'gone' | 'exhausted' | null
}

/** Returns the text that PostgreSQL can store in JSON: it takes no NUL and no half of a surrogate pair. */
const storable = (text: string): string => text.slice(0, ANSWER_CHARACTERS).replaceAll('\0', '\uFFFD').toWellFormed()

/** Only the reasons of the outgoing client are for tenants: other messages may name what is inside. */
const reasonOf = (error: unknown): string =>
  error instanceof AppError ? error.message : 'the attempt failed inside this service'

const attemptOf = (result: Answer | Error): Pick<Attempt, 'status' | 'error' | 'answer'> =>
  result instanceof Error
    ? { status: null, error: reasonOf(result), answer: null }
    : { status: result.status, error: null, answer: storable(result.body.toString('utf8')) }

interface Ended {
  result: Answer | Error
  /** The number of the attempt, from 1. */
  number: number
  at: Date
  durationMs: number
  schedule: readonly number[]
}

/** Any 2xx is a success. A redirect is a failure, since following it would send the event to somebody else. */
export function outcomeOf({ result, number, at, durationMs, schedule }: Ended): Outcome {
  const attempt = { at: at.toISOString(), durationMs: Math.round(durationMs), ...attemptOf(result) }
  const { status } = attempt
  const plain = { attempt, wasSent: true, delayMs: null, retryAfterMs: 0, disables: null }
  if (status !== null && status >= 200 && status < 300) return { ...plain, state: 'delivered' }
  if (status === GONE) return { ...plain, state: 'failed', disables: 'gone' }
  const pauseMs = pauseAfter(number, schedule)
  if (pauseMs === undefined) return { ...plain, state: 'failed', disables: 'exhausted' }
  const askedMs = askedPauseMs(result)
  return { ...plain, state: 'pending', delayMs: Math.max(pauseMs, askedMs), retryAfterMs: askedMs }
}

/** The longest `Retry-After` that is honoured: as long as the longest pause of the published schedule. */
const MAX_RETRY_AFTER_MS = 86_400_000

function askedPauseMs(result: Answer | Error): number {
  if (result instanceof Error || !BUSY.includes(result.status)) return 0
  return Math.min(retryAfterMs(result.headers['retry-after']) ?? 0, MAX_RETRY_AFTER_MS)
}

/** The outcome for a delivery whose event is no longer in the log: it can never be sent. */
export const eventGone = (at: Date): Outcome => ({
  state: 'failed',
  delayMs: null,
  attempt: {
    at: at.toISOString(),
    status: null,
    durationMs: 0,
    error: 'the event is no longer in the log',
    answer: null,
  },
  wasSent: false,
  retryAfterMs: 0,
  disables: null,
})
