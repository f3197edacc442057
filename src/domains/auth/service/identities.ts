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

/**
 * Locks the subject and returns its user, locked; undefined when the subject is not linked, which cannot change until
 * `tx` ends.
 */
export async function lockOwner(tx: Transaction, subject: Subject): Promise<User | undefined> {
  await lockSubject(tx, subject)
  const identity = await findIdentity(tx, subject)
  return identity && lockUser(tx, { id: identity.userId })
}

/** Links a subject. The caller has locked it and has checked that it is not linked. */
export async function addIdentity(tx: Transaction, caller: Caller, userId: string, subject: Subject) {
  const identity = orNotFound(await insertIdentity(tx, { ...subject, id: newId(), userId }))
  await record(tx, onBehalfOf(caller, userId), identityEvents.linked, identity)
  return identity
}

/**
 * Links the subject and notifies the user; an existing link of the same user stays. The address must be verified: a
 * person who registered an address without verifying it may not be its owner, and the link would be a way back in
 * (pre-hijacking). Throws `identity_taken`, `email_not_verified`.
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

/** Throws `not_found`, also for an identity of another user, and `last_sign_in_method`. */
export const unlinkIdentity = (app: FastifyInstance, caller: Caller, userId: string, id: string): Promise<void> =>
  caller.transaction(async tx => {
    // With the lock, the second of two concurrent requests sees what the first has removed.
    const user = await lockUser(tx, { id: userId })
    const identity = orNotFound(await deleteIdentity(tx, { id, userId }))
    if (!(await findWayIn(tx, { userId }))) throw authErrors.last_sign_in_method()
    await record(tx, caller, identityEvents.unlinked, identity)
    await notify(app, tx, caller, user?.email ?? null, 'identity_unlinked')
  })
