import type { Transaction } from '../../../database/client.ts'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import type { OrganizationRole } from '../../../lib/access.ts'
import { found, matched } from '../../../lib/errors.ts'
import { organizationErrors } from '../errors.ts'
import { memberEvents } from '../events.ts'
import { deleteMember, findMember, lockOwners, updateMember } from '../queries/members.ts'

interface Membership {
  organizationId: string
  userId: string
}

/** Throws `owner_required`, `last_owner`, `not_found`, `precondition_failed`. */
export const changeMember = (
  caller: Caller,
  membership: Membership,
  role: OrganizationRole,
  ifMatch: number[] | null,
) =>
  caller.transaction(async tx => {
    await guardOwners(tx, caller, membership, role)
    matched(await updateMember(tx, { ...membership, role, ifMatch }), ifMatch)
    const member = found(await findMember(tx, membership))
    await record(tx, caller, memberEvents.updated, byUser(member))
    return member
  })

/** Throws as `changeMember` does. */
export const removeMember = (caller: Caller, membership: Membership, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    await guardOwners(tx, caller, membership, null)
    const member = found(await findMember(tx, membership))
    matched(await deleteMember(tx, { ...membership, ifMatch }), ifMatch)
    await record(tx, caller, memberEvents.removed, byUser(member))
  })

/** Only an owner makes, changes or removes an owner, and one always remains. Holds the lock until the commit. */
async function guardOwners(
  tx: Transaction,
  caller: Caller,
  { organizationId, userId }: Membership,
  role: OrganizationRole | null,
) {
  const owners = (await lockOwners(tx, { organizationId })).map(owner => owner.userId)
  const concernsOwner = owners.includes(userId) || role === 'owner'
  if (concernsOwner && !owners.includes(caller.actor.id ?? '')) throw organizationErrors.owner_required()
  if (owners.includes(userId) && role !== 'owner' && owners.length === 1) throw organizationErrors.last_owner()
}

const byUser = <T extends { userId: string }>(member: T) => ({ ...member, id: member.userId })
