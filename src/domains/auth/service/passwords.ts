import { randomBytes } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { Piscina } from 'piscina'
import { requestErrors } from '../../../lib/errors.ts'
import { Password } from '../../../lib/schema.ts'
import { isCommon } from './common-passwords.ts'

/** argon2id, 19 MiB, two passes (OWASP Password Storage Cheat Sheet). */
const ARGON2ID = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/** How a hash of these parameters begins (PHC string format). */
const PREFIX = `$argon2id$v=19$m=${ARGON2ID.memoryCost},t=${ARGON2ID.timeCost},p=${ARGON2ID.parallelism}$`
/** At some 50 hashes a second and thread the last in line waits two seconds; whoever comes after is told to come back. */
const MAX_WAITING = 100

const minCharacters = Password.minLength as number
/** They leave a core to the event loop, which goes first on theirs as well. */
const threads = new Piscina({
  filename: new URL('./hashing.mjs', import.meta.url).href,
  minThreads: 0,
  maxThreads: Math.max(1, Math.min(2, availableParallelism() - 1)),
  idleTimeout: 30_000,
  // On a Mac it would be the whole process that is nice.
  niceIncrement: process.platform === 'darwin' ? 0 : 10,
  execArgv: [],
  resourceLimits: { maxYoungGenerationSizeMb: 1 },
})

function inTurn<T>(name: string, task: object): Promise<T> {
  if (threads.queueSize >= MAX_WAITING) return Promise.reject(requestErrors.overloaded())
  return threads.run(task, { name })
}

const normal = (password: string): string => password.normalize('NFC')

/** Throws `validation_failed` for what guessers try first, and for what is too short once it is composed. */
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

/** What no password gives. */
const unknownUser = PREFIX + [16, 32].map(size => randomBytes(size).toString('base64').replaceAll('=', '')).join('$')

/** Costs the same whether or not there is a hash to compare with. */
export const checkPassword = async (password: string, passwordHash: string | null | undefined): Promise<boolean> => {
  const against = passwordHash ?? unknownUser
  const matches = await inTurn<boolean>('verify', { password: normal(password), against })
  return matches && passwordHash != null
}

/** Whether the hash was made with other parameters than those of today. */
export const isOutdated = (passwordHash: string): boolean => !passwordHash.startsWith(PREFIX)
