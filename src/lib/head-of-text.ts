const HIGH_SURROGATE = /[\uD800-\uDBFF]$/

/** Returns at most the first `length` UTF-16 code units of a text, without half a character at their end. */
export function headOf(text: string, length: number): string {
  const head = text.slice(0, length)
  return HIGH_SURROGATE.test(head) ? head.slice(0, -1) : head
}
