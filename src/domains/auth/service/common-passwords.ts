import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Password } from '../../../lib/schema.ts'

const LIST = '@zxcvbn-ts/language-common/src/passwords.json'
const minCharacters = Password.minLength as number

let known: Set<string> | undefined

/**
 * Reads the list on first use. `require` would keep the two thirds of it in memory that are too short to be allowed
 * anyway.
 */
function load(): Set<string> {
  const path = createRequire(import.meta.url).resolve(LIST)
  const all: string[] = JSON.parse(readFileSync(path, 'utf8'))
  return new Set(all.filter(password => password.length >= minCharacters))
}

/**
 * Whether `password` is in the list of common passwords, ignoring case. `password` is in NFC; the list is in NFC and
 * lower case.
 */
export function isCommon(password: string): boolean {
  known ??= load()
  return known.has(password.toLowerCase())
}
