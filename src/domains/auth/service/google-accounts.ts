import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { type Caller, onBehalfOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { newId } from '../../../lib/ids.ts'
import { userEvents } from '../../users/events.ts'
import { removePassword } from '../../users/queries/passwords.ts'
import { insertUser, lockUserByEmail, verifyUserEmail } from '../../users/queries/users.ts'
import type { User } from '../../users/schemas.ts'
import { authErrors } from '../errors.ts'
import type { GoogleAccount } from './google.ts'
import { addIdentity, lockOwner } from './identities.ts'
import { notify } from './notices.ts'
import { endSessionsOf } from './sessions.ts'
import { revokeLinks } from './tokens.ts'

/**
 * Returns the user of a Google account, locked: the user who has linked it, else a new user, else the user with the
 * same address if Google hosts that address. Throws `google_email_unverified` when no user has linked it and Google has
 * not verified its address, `google_link_required` and `account_deactivated`.
 */
export async function ownerOf(
  app: FastifyInstance,
  tx: Transaction,
  caller: Caller,
  account: GoogleAccount,
): Promise<Pick<User, 'id'>> {
  const linked = await lockOwner(tx, account)
  if (linked) return active(linked)
  const { email } = account
  if (email === null) throw authErrors.google_email_unverified()
  const user = (await register(tx, caller, account)) ?? (await claim(app, tx, caller, { ...account, email }))
  const owner = onBehalfOf(caller, user.id)
  if (user.emailVerifiedAt === null)
    await record(tx, owner, userEvents.email_verified, ...(await verifyUserEmail(tx, { id: user.id })))
  else await notify(app, tx, owner, email, 'identity_linked')
  await addIdentity(tx, caller, user.id, account)
  return user
}

function active<T extends Pick<User, 'status'>>(user: T): T {
  if (user.status !== 'active') throw authErrors.account_deactivated()
  return user
}

/** Returns undefined when the address already has an account. */
async function register(tx: Transaction, caller: Caller, { email, name }: GoogleAccount): Promise<User | undefined> {
  const user = await insertUser(tx, { id: newId(), email, name, passwordHash: null })
  if (user) await record(tx, onBehalfOf(caller, user.id), userEvents.registered, user)
  return user
}

/**
 * Returns the account that has the address, locked. If the address was never verified, access from before is removed.
 */
async function claim(
  app: FastifyInstance,
  tx: Transaction,
  caller: Caller,
  { email, isAuthoritative }: GoogleAccount & { email: string },
): Promise<User> {
  if (!isAuthoritative) throw authErrors.google_link_required()
  const user = await lockUserByEmail(tx, { email })
  // The account was erased at this moment.
  if (!user) throw authErrors.google_sign_in_failed()
  active(user)
  if (user.emailVerifiedAt === null) await disinherit(app, tx, onBehalfOf(caller, user.id), user)
  return user
}

/**
 * A person who registered an address without verifying it may not be its owner, and may have prepared the account to
 * get back in later (pre-hijacking). So the password, all links and all sessions are removed.
 */
async function disinherit(app: FastifyInstance, tx: Transaction, owner: Caller, { id, email }: User): Promise<void> {
  const removed = await removePassword(tx, { id })
  if (removed) {
    await record(tx, owner, userEvents.password_removed, removed)
    await notify(app, tx, owner, email, 'password_removed')
  }
  await revokeLinks(tx, id)
  await endSessionsOf(tx, owner, id, null)
}
