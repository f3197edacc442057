import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { type OrganizationRole, reachesRole } from '../../../lib/access.ts'
import { lacking, orNotFound, orPreconditionFailed } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { organizationErrors } from '../errors.ts'
import { invitationEvents } from '../events.ts'
import { sendInvitationMail } from '../jobs.ts'
import {
  countInvitations,
  deleteInvitationRow,
  findInvitation,
  insertInvitation,
  renewInvitation,
} from '../queries/invitations.ts'
import { findMember, findMemberByEmail } from '../queries/members.ts'
import { lockOrganization } from '../queries/organizations.ts'
import type { CreateInvitation } from '../schemas/invitations.ts'

/** The most pending invitations of one organization, since each sends mail to a stranger. */
const MAX_PENDING = 500

interface Path {
  organizationId: string
  id: string
}

/**
 * Does the same work and returns the same response whether or not the address has an account. Throws `owner_required`,
 * `already_member`, `invitation_pending`, `too_many_invitations`, `rate_limited`.
 */
export const createInvitation = (
  app: FastifyInstance,
  caller: Caller,
  organizationId: string,
  { email, role }: CreateInvitation,
) =>
  caller.transaction(async tx => {
    const address = email.toLowerCase()
    await requireGrant(tx, caller, organizationId, role)
    if (await findMemberByEmail(tx, { organizationId, email: address })) throw organizationErrors.already_member()
    const { pending } = orNotFound(await countInvitations(tx, { organizationId }))
    if (pending >= MAX_PENDING) throw organizationErrors.too_many_invitations()
    const row = { id: newId(), organizationId, email: address, role, invitedBy: caller.actor.id }
    const invitation = await insertInvitation(tx, row)
    if (!invitation) throw organizationErrors.invitation_pending()
    await app.limitMails(address)
    await record(tx, caller, invitationEvents.created, invitation)
    await app.jobs.enqueue(tx, sendInvitationMail, { invitationId: invitation.id }, caller.traceparent)
    return invitation
  })

/**
 * Sends another mail with a new token; the caller is the inviter from now on. Throws `not_found`, `owner_required`,
 * `precondition_failed`, `rate_limited`.
 */
export const resendInvitation = (app: FastifyInstance, caller: Caller, path: Path, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const { role } = orNotFound(await findInvitation(tx, path))
    await requireGrant(tx, caller, path.organizationId, role)
    const renewed = await renewInvitation(tx, { ...path, invitedBy: caller.actor.id, ifMatch })
    const invitation = orPreconditionFailed(renewed, ifMatch)
    await app.limitMails(invitation.email)
    await record(tx, caller, invitationEvents.resent, invitation)
    await app.jobs.enqueue(tx, sendInvitationMail, { invitationId: invitation.id }, caller.traceparent)
    return invitation
  })

/** Throws `not_found`, `precondition_failed`. */
export const deleteInvitation = (caller: Caller, path: Path, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    orNotFound(await findInvitation(tx, path))
    const invitation = orPreconditionFailed(await deleteInvitationRow(tx, { ...path, ifMatch }), ifMatch)
    await record(tx, caller, invitationEvents.revoked, invitation)
  })

/**
 * Checks that the caller may grant `role`. Locks the organization, so the right holds until the commit. Throws
 * `owner_required`, `forbidden`.
 */
async function requireGrant(tx: Transaction, { actor }: Caller, organizationId: string, role: OrganizationRole) {
  orNotFound(await lockOrganization(tx, { id: organizationId }))
  if (await mayGrant(tx, organizationId, actor.id, role)) return
  throw role === 'owner' ? organizationErrors.owner_required() : lacking('needs the role admin in the organization')
}

/** Whether the user may grant `role`: an admin may grant any role except owner, an owner any. */
export async function mayGrant(tx: Transaction, organizationId: string, userId: string | null, role: OrganizationRole) {
  const member = userId === null ? undefined : await findMember(tx, { organizationId, userId })
  return member !== undefined && reachesRole(member.role, role === 'owner' ? 'owner' : 'admin')
}
