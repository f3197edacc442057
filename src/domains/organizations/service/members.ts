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

/** Throws as `updateMember`. */
export const removeMember = (caller: Caller, membership: MemberKey, ifMatch: number[] | null) =>
  caller.transaction(tx => remove(tx, caller, membership, { ifMatch, ofOrganization: null }))

/** `ifMatch` refers to the organization. Throws `last_owner`, `not_found`, `precondition_failed`. */
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
 * Makes another member the owner and the caller an admin. `ifMatch` refers to the organization. Throws
 * `precondition_failed`, `owner_required`, and `validation_failed` when `userId` is the caller or not a member.
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

/** Runs before an account is deleted. Throws `last_owner` when the user is the only owner of an organization. */
export async function keepLastOwner(tx: Transaction, userId: string): Promise<void> {
  await lockOrganizationsOf(tx, { userId })
  const alone = await findOwnedAlone(tx, { userId })
  if (alone.length > 0) throw organizationErrors.last_owner()
}

/** Runs when an account is erased: removes its memberships and records the events. */
export async function leaveAll(tx: Transaction, userId: string): Promise<void> {
  const left = await deleteMemberships(tx, { userId })
  if (left.length > 0) await record(tx, bySystem(tx), memberEvents.removed, ...left.map(byUser))
}

/**
 * Only an owner may add, change or remove an owner, and one owner must remain. Throws `owner_required`, `last_owner`,
 * `precondition_failed`.
 */
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

/**
 * Locks the organization and returns its owners, who do not change until the commit. Throws `not_found`,
 * `precondition_failed`.
 */
async function holdOwners(tx: Transaction, organizationId: string, ifMatch: number[] | null): Promise<string[]> {
  requireVersion(orNotFound(await lockOrganization(tx, { id: organizationId })), ifMatch)
  return (await findOwners(tx, { organizationId })).map(owner => owner.userId)
}

const byUser = <T extends { userId: string }>(member: T) => ({ ...member, id: member.userId })
