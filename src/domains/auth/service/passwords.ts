import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import { requestErrors } from '../../../lib/errors.ts'
import { Password } from '../../../lib/schema.ts'
import { isCommon } from './common-passwords.ts'

/** argon2id, 19 MiB, two passes (OWASP Password Storage Cheat Sheet). */
const ARGON2ID = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/** The beginning of a hash with these parameters (PHC string format). */
const PREFIX = `$argon2id$v=19$m=${ARGON2ID.memoryCost},t=${ARGON2ID.timeCost},p=${ARGON2ID.parallelism}$`
/**
 * Hashes that may wait: at some 50 hashes a second and thread, the last one waits two seconds. Further requests get
 * `overloaded`.
 */
const MAX_WAITING = 100

const minCharacters = Password.minLength as number
/** One core is left to the event loop; on the other cores the event loop also has priority (`niceIncrement`). */
const threads = new Piscina({
  filename: new URL('./hashing.mjs', import.meta.url).href,
  minThreads: 0,
  maxThreads: Math.max(1, Math.min(2, availableParallelism() - 1)),
  idleTimeout: 30_000,
  // On macOS `niceIncrement` would affect the whole process.
  niceIncrement: process.platform === 'darwin' ? 0 : 10,
  execArgv: [],
  resourceLimits: { maxYoungGenerationSizeMb: 1 },
})

function inTurn<T>(name: string, task: object): Promise<T> {
  if (threads.queueSize >= MAX_WAITING) return Promise.reject(requestErrors.overloaded())
  return threads.run(task, { name })
}

const normal = (password: string): string => password.normalize('NFC')

/** Throws `validation_failed` for a common password, and for one that is too short after composition (NFC). */
export function refuseWeak(password: string, field: string): void {
  const composed = normal(password)
  const detail =
    [...composed].length < minCharacters
      ? `must have ${minCharacters} characters, composed ones counted once`
      : isCommon(composed)
        ? 'is one of the most common passwords'
        : undefined
  if (detail === undefined) return
  throw requestErrors.validation_failed({
    detail: `${field} ${detail}`,
    errors: [{ pointer: `#/${field}`, detail }],
  })
}

export const hashPassword = (password: string): Promise<string> =>
  inTurn('hash', { password: normal(password), options: ARGON2ID })

/** A hash that no password matches. */
const unknownUser = PREFIX + [16, 32].map(size => randomBytes(size).toString('base64').replaceAll('=', '')).join('$')

/** Takes the same time whether or not there is a hash. */
export const checkPassword = async (password: string, passwordHash: string | null | undefined): Promise<boolean> => {
  const against = passwordHash ?? unknownUser
  const matches = await inTurn<boolean>('verify', { password: normal(password), against })
  return matches && passwordHash != null
}

/** Whether the hash was made with parameters other than the current ones. */
export const isOutdated = (passwordHash: string): boolean => !passwordHash.startsWith(PREFIX)
