import type { Transaction } from '../../../database/client.ts'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { orNotFound, orPreconditionFailed, requireVersion } from '../../../lib/errors.ts'
import { userEvents } from '../../users/events.ts'
import { lockWithAdmins, updateUserRow } from '../../users/queries/admins.ts'
import { findUser } from '../../users/queries/users.ts'
import type { User } from '../../users/schemas.ts'
import { authErrors } from '../errors.ts'
import type { UpdateAccount } from '../schemas/accounts.ts'
import { endSessionsOf } from './sessions.ts'

const unchanged = { name: null, role: null, status: null, ifMatch: null }

/**
 * Updates name and role. A new role ends every session of the user, because access tokens contain the old role. Throws
 * `not_found`, `precondition_failed`, `last_admin`.
 */
export const updateUser = (caller: Caller, id: string, change: UpdateAccount, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const { name, role } = change
    const before = await lockAccount(tx, id)
    if (role !== undefined && role !== 'admin') await refuseLastAdmin(tx, id)
    const user = orPreconditionFailed(await updateUserRow(tx, { ...unchanged, ...change, id, ifMatch }), ifMatch)
    const roleChanged = user.role !== before.role
    if (name !== undefined || !roleChanged) await record(tx, caller, userEvents.updated, user)
    if (!roleChanged) return user
    await record(tx, caller, userEvents.role_changed, user)
    await endSessionsOf(tx, caller, id, null)
    return user
  })

/**
 * Sets the status and ends all sessions; when the status is already set, it changes and records nothing. Throws
 * `not_found`, `precondition_failed`, `last_admin`.
 */
const setStatus =
  (status: User['status'], type: typeof userEvents.activated) =>
  (caller: Caller, id: string, ifMatch: number[] | null) =>
    caller.transaction(async tx => {
      const before = await lockAccount(tx, id)
      requireVersion(before, ifMatch)
      if (before.status === status) return orNotFound(await findUser(tx, { id }))
      if (status === 'deactivated') await refuseLastAdmin(tx, id)
      const user = orNotFound(await updateUserRow(tx, { ...unchanged, id, status }))
      await record(tx, caller, type, user)
      await endSessionsOf(tx, caller, id, null)
      return user
    })

export const activateUser = setStatus('active', userEvents.activated)
export const deactivateUser = setStatus('deactivated', userEvents.deactivated)

/** Locks this account and all admins until the transaction ends. */
const lockAccount = async (tx: Transaction, id: string) =>
  orNotFound((await lockWithAdmins(tx, { id })).find(user => user.id === id))

const isActiveAdmin = ({ role, status }: Pick<User, 'role' | 'status'>) => role === 'admin' && status === 'active'

/** Throws `last_admin` when this user, whose row the caller has locked, is the last active admin. */
export async function refuseLastAdmin(tx: Transaction, id: string): Promise<void> {
  // A user who is no active admin needs no lock on the admins.
  if (!isActiveAdmin(orNotFound(await findUser(tx, { id })))) return
  const admins = (await lockWithAdmins(tx, { id })).filter(isActiveAdmin)
  if (admins.length === 1 && admins[0]?.id === id) throw authErrors.last_admin()
}
