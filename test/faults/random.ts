import type { Test } from 'tap'

const GOLDEN = 0x6d2b79f5
const TWO_32 = 2 ** 32

export interface Random {
  /** Returns an integer from 0 up to, but not including, `limit`. */
  below(limit: number): number
  pick<T>(items: readonly T[]): T
}

/** Returns a Mulberry32 generator. The seed is printed; `FAULT_SEED` repeats a run. */
export function seeded(t: Test): Random {
  const seed = Number(process.env.FAULT_SEED ?? Math.floor(Math.random() * TWO_32))
  t.comment(`seed ${seed}`)
  let state = seed >>> 0
  const next = () => {
    state = (state + GOLDEN) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / TWO_32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return { below, pick: items => items[below(items.length)] as never }
}

/** How long a fault lasts: short by default, `FAULT_SECONDS` for a long run. */
export const faultMs = (seconds: number): number => Number(process.env.FAULT_SECONDS ?? seconds) * 1000
