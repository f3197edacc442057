const SLUG_CHARACTERS = 40
const SUFFIX_CHARACTERS = 8

/** Lower-case letters, digits and single hyphens. */
export const SLUG_PATTERN = '^[a-z0-9]+(-[a-z0-9]+)*$'

/** Turns `Analytical Engines Ltd` into `analytical-engines-ltd-1a2b3c4d`: the end of the id makes it unique. */
export function slugOf(name: string, id: string, fallback: string): string {
  const words = name
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .match(/[a-z0-9]+/g) ?? [fallback]
  return `${words.join('-').slice(0, SLUG_CHARACTERS).replace(/-$/, '')}-${id.slice(-SUFFIX_CHARACTERS)}`
}
