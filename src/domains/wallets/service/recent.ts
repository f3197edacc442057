/** The most answers that are kept. */
const KEPT = 1000

interface Kept<Value> {
  value: Promise<Value>
  until: number
}

/** Keeps answers for a time: who asks the same meanwhile, or while the first is under way, gets that answer. */
export class Recent<Value> {
  readonly #kept = new Map<string, Kept<Value>>()
  readonly #lifeMs: number
  readonly #now: () => number

  constructor(lifeMs: number, now: () => number = () => performance.now()) {
    this.#lifeMs = lifeMs
    this.#now = now
  }

  /** Returns the answer for the key; an error is not kept. */
  get(key: string, ask: () => Promise<Value>): Promise<Value> {
    const known = this.#kept.get(key)
    if (known && known.until > this.#now()) return known.value
    this.#kept.delete(key)
    const value = ask()
    const kept = { value, until: this.#now() + this.#lifeMs }
    this.#kept.set(key, kept)
    if (this.#kept.size > KEPT) this.#kept.delete(this.#kept.keys().next().value as string)
    value.catch(() => {
      if (this.#kept.get(key) === kept) this.#kept.delete(key)
    })
    return value
  }
}
