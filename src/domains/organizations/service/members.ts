import type { Transaction } from '../../../database/client.ts'
import { bySystem, type Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import type { OrganizationRole } from '../../../lib/access.ts'
import { invalid, orNotFound, orPreconditionFailed, requireVersion } from '../../../lib/errors.ts'
import { organizationErrors } from '../errors.ts'
import { memberEvents } from '../events.ts'
import {
  deleteMemberships,
  findMember,
  findOwnedAlone,
  findOwners,
  removeMemberRow,
  updateMemberRow,
} from '../queries/members.ts'
import { lockOrganization, lockOrganizationsOf } from '../queries/organizations.ts'
import type { TransferOwnership } from '../schemas/members.ts'

interface MemberKey {
  organizationId: string
  userId: string
}

/** Throws `owner_required`, `last_owner`, `not_found`, `precondition_failed`. */
export const updateMember = (caller: Caller, membership: MemberKey, role: OrganizationRole, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    await guardOwners(tx, caller, membership, role)
    orNotFound(await findMember(tx, membership))
    orPreconditionFailed(await updateMemberRow(tx, { ...membership, role, ifMatch }), ifMatch)
    const member = orNotFound(await findMember(tx, membership))
    await record(tx, caller, memberEvents.updated, byUser(member))
    return member
  })

/** Throws as `updateMember` does. */
export const removeMember = (caller: Caller, membership: MemberKey, ifMatch: number[] | null) =>
  caller.transaction(tx => remove(tx, caller, membership, { ifMatch, ofOrganization: null }))

/** `ifMatch` is about the organization. Throws `last_owner`, `not_found`, `precondition_failed`. */
export const leaveOrganization = (caller: Caller, membership: MemberKey, ifMatch: number[] | null) =>
  caller.transaction(tx => remove(tx, caller, membership, { ifMatch: null, ofOrganization: ifMatch }))

async function remove(
  tx: Transaction,
  caller: Caller,
  membership: MemberKey,
  { ifMatch, ofOrganization }: { ifMatch: number[] | null; ofOrganization: number[] | null },
): Promise<void> {
  await guardOwners(tx, caller, membership, null, ofOrganization)
  const member = orNotFound(await findMember(tx, membership))
  orPreconditionFailed(await removeMemberRow(tx, { ...membership, ifMatch }), ifMatch)
  await record(tx, caller, memberEvents.removed, byUser(member))
}

/**
 * The caller becomes an admin. `ifMatch` is about the organization. Throws `precondition_failed`, `owner_required`,
 * `validation_failed` where the other is no other member.
 */
export const transferOwnership = (
  caller: Caller,
  organizationId: string,
  { userId }: TransferOwnership,
  ifMatch: number[] | null,
) =>
  caller.transaction(async tx => {
    const from = { organizationId, userId: caller.actor.id as string }
    const to = { organizationId, userId }
    if (!(await holdOwners(tx, organizationId, ifMatch)).includes(from.userId))
      throw organizationErrors.owner_required()
    if (userId === from.userId) throw invalid('#/userId', 'is the caller')
    const changed = await updateMemberRow(tx, { ...to, role: 'owner', ifMatch: null })
    if (!changed) throw invalid('#/userId', 'is not a member of the organization')
    await updateMemberRow(tx, { ...from, role: 'admin', ifMatch: null })
    const [owner, admin] = [orNotFound(await findMember(tx, to)), orNotFound(await findMember(tx, from))]
    await record(tx, caller, memberEvents.updated, byUser(owner), byUser(admin))
    return owner
  })

/** Before an account goes: an organization keeps an owner. Throws `last_owner`. */
export async function keepLastOwner(tx: Transaction, userId: string): Promise<void> {
  await lockOrganizationsOf(tx, { userId })
  const alone = await findOwnedAlone(tx, { userId })
  if (alone.length > 0) throw organizationErrors.last_owner()
}

/** As an account is erased: its organizations learn that the member is gone. */
export async function leaveAll(tx: Transaction, userId: string): Promise<void> {
  const left = await deleteMemberships(tx, { userId })
  if (left.length > 0) await record(tx, bySystem(tx), memberEvents.removed, ...left.map(byUser))
}

/** Only an owner makes, changes or removes an owner, and one always remains. */
async function guardOwners(
  tx: Transaction,
  caller: Caller,
  { organizationId, userId }: MemberKey,
  role: OrganizationRole | null,
  ofOrganization: number[] | null = null,
) {
  const owners = await holdOwners(tx, organizationId, ofOrganization)
  const concernsOwner = owners.includes(userId) || role === 'owner'
  if (concernsOwner && !owners.includes(caller.actor.id ?? '')) throw organizationErrors.owner_required()
  if (owners.includes(userId) && role !== 'owner' && owners.length === 1) throw organizationErrors.last_owner()
}

/** Who owns the organization, and until the commit nobody else does. Throws `precondition_failed`. */
async function holdOwners(tx: Transaction, organizationId: string, ifMatch: number[] | null): Promise<string[]> {
  requireVersion(orNotFound(await lockOrganization(tx, { id: organizationId })), ifMatch)
  return (await findOwners(tx, { organizationId })).map(owner => owner.userId)
}

const byUser = <T extends { userId: string }>(member: T) => ({ ...member, id: member.userId })
