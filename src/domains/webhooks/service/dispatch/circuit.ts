import { jittered } from './schedule.ts'

/** Failed attempts in a row after which an endpoint counts as broken. */
const FAILURES_TO_OPEN = 5
/** The pause before the first probe of a broken endpoint; it doubles with each probe that fails. */
const FIRST_PAUSE_MS = 5_000
/** The longest pause, and so how late a receiver that works again is noticed. */
const MAX_PAUSE_MS = 300_000

/**
 * Says when an endpoint may be tried. After five failures in a row it is open: one probe at a time is sent, with
 * growing pauses, so that a dead receiver costs one connection and its deliveries keep their attempts. Any success
 * closes it.
 */
export class Circuit {
  #failures: number
  #blockedUntilMs = 0
  #isChanged = false

  /** `failures` are those in a row that the process before has counted. */
  constructor(failures: number) {
    this.#failures = failures
  }

  get failures(): number {
    return this.#failures
  }

  get isOpen(): boolean {
    return this.#failures >= FAILURES_TO_OPEN
  }

  /** How long no attempt may begin; 0 when one may. */
  blockedMs(nowMs: number): number {
    return Math.max(0, this.#blockedUntilMs - nowMs)
  }

  /** Whether the state has changed since the last call, and must be stored for the next process. */
  takeChange(): boolean {
    const changed = this.#isChanged
    this.#isChanged = false
    return changed
  }

  /** Makes the state count as not stored. */
  keepChange(): void {
    this.#isChanged = true
  }

  succeeded(): void {
    if (this.#failures === 0 && this.#blockedUntilMs === 0) return
    this.#failures = 0
    this.#blockedUntilMs = 0
    this.#isChanged = true
  }

  /**
   * Counts a failure. Attempts that began before the circuit opened and end later do not count: ten that time out
   * together are no ten probes.
   */
  failed({ isProbe, nowMs }: { isProbe: boolean; nowMs: number }): void {
    if (this.isOpen && !isProbe) return
    this.#failures += 1
    this.#isChanged = true
    if (!this.isOpen) return
    const pauseMs = Math.min(FIRST_PAUSE_MS * 2 ** (this.#failures - FAILURES_TO_OPEN), MAX_PAUSE_MS)
    this.block(jittered(pauseMs), nowMs)
  }

  /** Keeps attempts from beginning for `ms`, as the receiver has asked, or longer when they are blocked longer. */
  block(ms: number, nowMs: number): void {
    this.#blockedUntilMs = Math.max(this.#blockedUntilMs, nowMs + ms)
    this.#isChanged = true
  }
}
