/** The part of a pause that is random, so that deliveries which failed together are not repeated together. */
const JITTER = 0.2

/** Returns `ms` changed by up to 20 % in either direction. */
export const jittered = (ms: number, random = Math.random): number => Math.round(ms * (1 + JITTER * (2 * random() - 1)))

/**
 * Returns the milliseconds to wait after attempt number `attempt`, counted from 1; undefined after the last one.
 * `schedule` has the seconds before each attempt.
 */
export function pauseAfter(attempt: number, schedule: readonly number[], random = Math.random): number | undefined {
  const seconds = schedule[attempt]
  return seconds === undefined ? undefined : jittered(seconds * 1000, random)
}
