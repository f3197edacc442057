/** Mutants that no answer and no row can tell from the original, each with the reason; by file and by what was there. */
export const EQUIVALENT: Record<string, string> = {}

export const equivalentKey = ({ file, was, text }: { file: string; was: string; text: string }): string =>
  `${file}: ${was} → ${text}`
