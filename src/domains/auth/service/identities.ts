import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { type Caller, onBehalfOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { orNotFound, requestErrors } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { lockUser } from '../../users/queries/users.ts'
import type { User } from '../../users/schemas.ts'
import { authErrors } from '../errors.ts'
import { identityEvents } from '../events.ts'
import {
  deleteIdentity,
  findIdentity,
  findWayIn,
  insertIdentity,
  lockSubject,
  type Subject,
} from '../queries/identities.ts'
import type { Identity } from '../schemas/identities.ts'
import { notify } from './notices.ts'

// Lock order: the subject, then its user.

/** Whose the subject is, locked; undefined where it is nobody's, which it stays for others until `tx` ends. */
export async function lockOwner(tx: Transaction, subject: Subject): Promise<User | undefined> {
  await lockSubject(tx, subject)
  const identity = await findIdentity(tx, subject)
  return identity && lockUser(tx, { id: identity.userId })
}

/** The caller has locked the subject, and has found that it is nobody's. */
export async function addIdentity(tx: Transaction, caller: Caller, userId: string, subject: Subject) {
  const identity = orNotFound(await insertIdentity(tx, { ...subject, id: newId(), userId }))
  await record(tx, onBehalfOf(caller, userId), identityEvents.linked, identity)
  return identity
}

/**
 * Links and tells the owner; what is linked already stays so. Whoever registered an address that they never confirmed may
 * not be its owner, and would keep a way in (pre-hijacking). Throws `identity_taken`, `email_not_verified`.
 */
export async function linkIdentity(
  app: FastifyInstance,
  tx: Transaction,
  caller: Caller,
  userId: string,
  subject: Subject,
): Promise<Identity> {
  await lockSubject(tx, subject)
  const user = await lockUser(tx, { id: userId })
  if (!user) throw requestErrors.unauthenticated()
  if (user.email !== null && user.emailVerifiedAt === null) throw authErrors.email_not_verified()
  const known = await findIdentity(tx, subject)
  if (known && known.userId !== userId) throw authErrors.identity_taken()
  if (known) return known
  await notify(app, tx, caller, user.email, 'identity_linked')
  return addIdentity(tx, caller, userId, subject)
}

/** Throws `not_found`, also for another user's, and `last_sign_in_method`. */
export const unlinkIdentity = (app: FastifyInstance, caller: Caller, userId: string, id: string): Promise<void> =>
  caller.transaction(async tx => {
    // Of two that are unlinked at once the second sees what the first has left.
    const user = await lockUser(tx, { id: userId })
    const identity = orNotFound(await deleteIdentity(tx, { id, userId }))
    if (!(await findWayIn(tx, { userId }))) throw authErrors.last_sign_in_method()
    await record(tx, caller, identityEvents.unlinked, identity)
    await notify(app, tx, caller, user?.email ?? null, 'identity_unlinked')
  })
