/** The longest delay before an attempt to connect. */
const MAX_DELAY_MS = 30_000
const FIRST_DELAY_MS = 1_000
/** The server asks for 10 seconds after too many messages. */
const TOO_MANY_DELAY_MS = 10_000

/** Close codes after which another attempt would end in the same way: the messages of this client are not accepted. */
const FINAL = new Set([1009, 4400])

export const isFinal = (code: number | undefined): boolean => code !== undefined && FINAL.has(code)

/**
 * Returns the milliseconds before the next attempt, after the socket was closed with `code` (undefined: it was lost).
 * The delays are random, so that the clients of a stopped process do not all reconnect at the same moment. They double
 * with each attempt that fails, up to 30 s.
 */
export function delayAfter(code: number | undefined, attempt: number, random: () => number = Math.random): number {
  if (code === 4440 && attempt === 0) return 0
  if (code === 4429) return TOO_MANY_DELAY_MS * (1 + random() / 2)
  const longest = Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** Math.min(attempt, 10))
  return code === 1012 ? FIRST_DELAY_MS + random() * longest : random() * longest
}
