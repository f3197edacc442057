/** Returns the value at `share` (0 to 1) of sorted numbers; NaN when there are none. */
export const quantile = (sorted: ArrayLike<number>, share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length / 2
  return Number.isInteger(middle)
    ? (quantile(sorted, 0.5) + (sorted[middle - 1] ?? Number.NaN)) / 2
    : quantile(sorted, 0.5)
}
