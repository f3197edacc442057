/** Returns the result of `make`, which runs only the first time a key is used. */
export type Memo = <T>(key: string, make: () => T) => T

/** Returns a `Memo` without results. */
export function memoize(): Memo {
  const results = new Map<string, unknown>()
  return <T>(key: string, make: () => T): T => {
    if (!results.has(key)) results.set(key, make())
    return results.get(key) as T
  }
}
