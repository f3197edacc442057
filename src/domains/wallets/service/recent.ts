import { FifoMap } from 'toad-cache'

/** The most answers that are kept. */
const KEPT = 1000

/** Keeps answers for a time: who asks the same meanwhile, or while the first is under way, gets that answer. */
export class Recent<Value> {
  readonly #kept: FifoMap<Promise<Value>>

  constructor(lifeMs: number) {
    this.#kept = new FifoMap(KEPT, lifeMs)
  }

  /** Returns the answer for the key; an error is not kept. */
  get(key: string, ask: () => Promise<Value>): Promise<Value> {
    const known = this.#kept.get(key)
    if (known) return known
    const value = ask()
    this.#kept.set(key, value)
    value.catch(() => {
      if (this.#kept.get(key) === value) this.#kept.delete(key)
    })
    return value
  }
}
