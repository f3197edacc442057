import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Password } from '../../../lib/schema.ts'

const LIST = '@zxcvbn-ts/language-common/src/passwords.json'
const minCharacters = Password.minLength as number

let known: Set<string> | undefined

/** Read when it is first asked for and not by `require`, which would keep the two thirds that are too short anyway. */
function load(): Set<string> {
  const path = createRequire(import.meta.url).resolve(LIST)
  const all: string[] = JSON.parse(readFileSync(path, 'utf8'))
  return new Set(all.filter(password => password.length >= minCharacters))
}

/** Whether guessers try it first, in whatever case; `password` is in NFC, as the list is, which is in lower case too. */
export function isCommon(password: string): boolean {
  known ??= load()
  return known.has(password.toLowerCase())
}
