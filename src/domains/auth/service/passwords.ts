import { hash, verify } from '@node-rs/argon2'
import fastq from 'fastq'
import { requestErrors } from '../../../lib/errors.ts'

/** argon2id, 19 MiB, two passes (OWASP Password Storage Cheat Sheet). */
const ARGON2ID = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1 }
/** Two at once leave half of the thread pool to everything else. */
const CONCURRENCY = 2
/** At some 100 hashes a second the last in line waits a second; whoever comes after is told to come back. */
const MAX_WAITING = 100

const queue = fastq.promise((work: () => Promise<unknown>) => work(), CONCURRENCY)

function inTurn<T>(work: () => Promise<T>): Promise<T> {
  if (queue.length() >= MAX_WAITING) return Promise.reject(requestErrors.overloaded())
  return queue.push(work) as Promise<T>
}

const normal = (password: string): string => password.normalize('NFC')

export const hashPassword = (password: string): Promise<string> => inTurn(() => hash(normal(password), ARGON2ID))

const unknownUser = hash('the password of an unknown user', ARGON2ID)

/** Costs the same whether or not there is a hash to compare with. */
export const checkPassword = async (password: string, passwordHash: string | null | undefined): Promise<boolean> => {
  const against = passwordHash ?? (await unknownUser)
  const matches = await inTurn(() => verify(against, normal(password)))
  return matches && passwordHash != null
}
