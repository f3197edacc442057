import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import type { Caller } from '../../../events/caller.ts'
import { findCredentials, lockPassword, rehashPassword } from '../../users/queries/passwords.ts'
import type { User } from '../../users/schemas.ts'
import { authErrors } from '../errors.ts'
import type { Login } from '../schemas/sessions.ts'
import { cancelDeletion } from './deletion-cancellation.ts'
import { checkPassword, hashPassword, isOutdated } from './passwords.ts'

type Work<T> = (tx: Transaction, user: User) => Promise<T>

/** `work` for whom the address and the password belong to. Throws `invalid_credentials`. */
export async function withPassword<T>(app: FastifyInstance, caller: Caller, login: Login, work: Work<T>): Promise<T> {
  // Where the hash was replaced while it was being checked, by a change or by another login, the new one decides.
  const done = (await attempt(app, caller, login, work)) ?? (await attempt(app, caller, login, work))
  if (!done) throw authErrors.invalid_credentials()
  return done.result
}

/** Undefined where the hash is no longer the one that was checked: nothing begins with a password of before. */
async function attempt<T>(app: FastifyInstance, caller: Caller, { email, password }: Login, work: Work<T>) {
  const credentials = await findCredentials(app.database, { email: email.toLowerCase() })
  const correct = await checkPassword(password, credentials?.passwordHash)
  if (!correct || !credentials) throw authErrors.invalid_credentials()
  const { passwordHash, ...user } = credentials
  const checked = { id: user.id, current: passwordHash as string }
  const renewed = isOutdated(checked.current) ? await hashPassword(password) : undefined
  return caller.transaction(async tx => {
    const [same] = await (renewed
      ? rehashPassword(tx, { ...checked, passwordHash: renewed })
      : lockPassword(tx, checked))
    return same && { result: await work(tx, user) }
  })
}

/**
 * Lets in a user who has proved who they are; a deletion that waits is off. Throws `account_deactivated`,
 * `email_not_verified`.
 */
export async function admit(
  app: FastifyInstance,
  tx: Transaction,
  owner: Caller,
  user: User,
  { unverifiedLogin }: { unverifiedLogin: boolean },
): Promise<void> {
  if (user.status !== 'active') throw authErrors.account_deactivated()
  const unverified = user.email !== null && user.emailVerifiedAt === null
  if (unverified && !unverifiedLogin) throw authErrors.email_not_verified()
  await cancelDeletion(app, tx, owner, user.id)
}
