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

const numbers = new WeakMap<object, number>()
let last = 0

/** Returns a number for an object: the same one for the same object. */
function numberOf(object: object): number {
  const number = numbers.get(object) ?? ++last
  numbers.set(object, number)
  return number
}

/** Returns text that is equal for equal schemas. Objects with functions count as equal only when they are the same. */
export const keyOfSchema = (schema: unknown): string =>
  JSON.stringify(schema, (_, value) => (hasFunctions(value) ? `\u0000${numberOf(value)}` : value))

const hasFunctions = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && Object.values(value).some(member => typeof member === 'function')
