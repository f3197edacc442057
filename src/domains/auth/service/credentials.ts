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

/** Runs `work` for the user with this address and password. Throws `invalid_credentials`. */
export async function withPassword<T>(app: FastifyInstance, caller: Caller, login: Login, work: Work<T>): Promise<T> {
  // If another request replaced the hash during the check (a password change or another login), the password is checked
  // once more against the new hash.
  const done = (await attempt(app, caller, login, work)) ?? (await attempt(app, caller, login, work))
  if (!done) throw authErrors.invalid_credentials()
  return done.result
}

/** Returns undefined when the hash has changed since it was checked, so that nothing starts with an old password. */
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
 * Checks that the user, who is authenticated, may sign in, and cancels a pending deletion of the account. Throws
 * `account_deactivated`, `email_not_verified`.
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
