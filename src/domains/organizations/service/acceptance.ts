import type { FastifyInstance } from 'fastify'
import type { Transaction } from '../../../database/client.ts'
import { type Caller, onBehalfOf } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { sha256 } from '../../../lib/crypto.ts'
import { orNotFound } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { admit, withPassword } from '../../auth/service/credentials.ts'
import { hashPassword, refuseWeak } from '../../auth/service/passwords.ts'
import { userEvents } from '../../users/events.ts'
import { findUser, insertUser, verifyUserEmail } from '../../users/queries/users.ts'
import type { User } from '../../users/schemas.ts'
import { organizationErrors } from '../errors.ts'
import { invitationEvents, memberEvents } from '../events.ts'
import { findLiveInvitation, type InvitationRow, takeInvitation } from '../queries/invitations.ts'
import { findMember, insertMember } from '../queries/members.ts'
import { lockOrganization } from '../queries/organizations.ts'
import type { AcceptWithPassword, RegisterInvited } from '../schemas/invitations.ts'
import { mayGrant } from './invitations.ts'

/** Throws `invitation_invalid`, `invitation_for_another`, `already_member`. */
export const acceptInvitation = (caller: Caller, userId: string, token: string) =>
  caller.transaction(async tx => {
    const { email } = orNotFound(await findUser(tx, { id: userId }))
    const invitation = await consume(tx, token)
    if (invitation.email !== email) throw organizationErrors.invitation_for_another()
    return join(tx, caller, invitation, userId)
  })

/**
 * Accepts for an invited person who has an account but no session: the password authenticates, and no session is
 * started. Throws `invitation_invalid`, `invalid_credentials`, `account_deactivated`, `email_not_verified`,
 * `already_member`.
 */
export async function acceptWithPassword(
  app: FastifyInstance,
  caller: Caller,
  { token, password }: AcceptWithPassword,
  policy: { unverifiedLogin: boolean },
) {
  const invitation = await findLiveInvitation(app.database, { hash: sha256(token) })
  if (!invitation) throw organizationErrors.invitation_invalid()
  return withPassword(app, caller, { email: invitation.email, password }, async (tx, user) => {
    const invited = onBehalfOf(caller, user.id)
    await admit(app, tx, invited, user, policy)
    return join(tx, invited, await consume(tx, token), user.id)
  })
}

/**
 * Creates an account with the address of the invitation, which is verified by its mail, and the membership, in one
 * transaction. Throws `validation_failed` for a weak password, `invitation_invalid`, `account_exists`.
 */
export async function registerInvited(
  app: FastifyInstance,
  caller: Caller,
  { token, name, password }: RegisterInvited,
): Promise<User> {
  refuseWeak(password, 'password')
  if (!(await findLiveInvitation(app.database, { hash: sha256(token) }))) throw organizationErrors.invitation_invalid()
  const passwordHash = await hashPassword(password)
  return caller.transaction(async tx => {
    const invitation = await consume(tx, token)
    const account = await insertUser(tx, { id: newId(), email: invitation.email, name, passwordHash })
    if (!account) throw organizationErrors.account_exists()
    const [user] = await verifyUserEmail(tx, { id: account.id })
    const newcomer = onBehalfOf(caller, account.id)
    await record(tx, newcomer, userEvents.registered, account)
    await record(tx, newcomer, userEvents.email_verified, orNotFound(user))
    await join(tx, newcomer, invitation, account.id)
    return orNotFound(user)
  })
}

/**
 * Consumes the invitation of the token. The organization is locked first, and the inviter must still be allowed to
 * grant the role. Throws `invitation_invalid`, which does not tell the reason.
 */
async function consume(tx: Transaction, token: string): Promise<InvitationRow> {
  const hash = sha256(token)
  const known = await findLiveInvitation(tx, { hash })
  if (!known || !(await lockOrganization(tx, { id: known.organizationId })))
    throw organizationErrors.invitation_invalid()
  const invitation = await takeInvitation(tx, { hash })
  const granted = invitation && (await mayGrant(tx, invitation.organizationId, invitation.invitedBy, invitation.role))
  if (!granted) throw organizationErrors.invitation_invalid()
  return invitation
}

async function join(tx: Transaction, caller: Caller, invitation: InvitationRow, userId: string) {
  const membership = { organizationId: invitation.organizationId, userId }
  await insertMember(tx, { ...membership, role: invitation.role })
  await record(tx, caller, invitationEvents.accepted, invitation)
  const member = orNotFound(await findMember(tx, membership))
  await record(tx, caller, memberEvents.added, { ...member, id: userId })
  return member
}
