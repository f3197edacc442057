/**
 * Mutants whose responses and rows do not differ from the original, each with the reason; by file and original text.
 */
export const EQUIVALENT: Record<string, string> = {}

export const equivalentKey = ({ file, was, text }: { file: string; was: string; text: string }): string =>
  `${file}: ${was} → ${text}`
