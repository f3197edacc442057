import { availableParallelism } from 'node:os'
import { hash, verify } from '@node-rs/argon2'
import fastq from 'fastq'
import { requestErrors } from '../../../lib/errors.ts'
import { Password } from '../../../lib/schema.ts'
import { isCommon } from './common-passwords.ts'

/** argon2id, 19 MiB, two passes (OWASP Password Storage Cheat Sheet). */
const ARGON2ID = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/** How a hash of these parameters begins (PHC string format). */
const PREFIX = `$argon2id$v=19$m=${ARGON2ID.memoryCost},t=${ARGON2ID.timeCost},p=${ARGON2ID.parallelism}$`
/** They leave a core to the event loop, and half of the thread pool to everything else. */
const CONCURRENCY = Math.max(1, Math.min(2, availableParallelism() - 1))
/** At some 100 hashes a second the last in line waits a second; whoever comes after is told to come back. */
const MAX_WAITING = 100

const minCharacters = Password.minLength as number
const queue = fastq.promise((work: () => Promise<unknown>) => work(), CONCURRENCY)

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (queue.length() >= MAX_WAITING) return Promise.reject(requestErrors.overloaded())
  return queue.push(work) as Promise<T>
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

export const hashPassword = (password: string): Promise<string> => inTurn(() => hash(normal(password), ARGON2ID))

const unknownUser = hash('the password of an unknown user', ARGON2ID)

/** Costs the same whether or not there is a hash to compare with. */
export const checkPassword = async (password: string, passwordHash: string | null | undefined): Promise<boolean> => {
  const against = passwordHash ?? (await unknownUser)
  const matches = await inTurn(() => verify(against, normal(password)))
  return matches && passwordHash != null
}

/** Whether the hash was made with other parameters than those of today. */
export const isOutdated = (passwordHash: string): boolean => !passwordHash.startsWith(PREFIX)
