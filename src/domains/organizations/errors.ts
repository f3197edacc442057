import { defineErrors } from '../../lib/errors.ts'

export const organizationErrors = defineErrors({
  slug_taken: {
    status: 409,
    title: 'Slug already in use',
    constraint: 'organizations_slug_key',
    help: 'Another organization has this slug. Choose another, or leave it out and one is made from the name.',
  },
  already_member: {
    status: 409,
    title: 'Already a member',
    constraint: 'members_pkey',
    help: 'This user belongs to the organization already. Change the role of the member instead.',
  },
  last_owner: {
    status: 409,
    title: 'The last owner stays',
    keepsAccount: true,
    help: 'An organization never goes without an owner, so its last one can neither leave, step down nor delete the account. Make another member owner first, or delete the organization.',
  },
  owner_required: {
    status: 403,
    title: 'Only an owner can do that',
    help: 'Granting the role owner, and changing or removing an owner, takes an owner. Ask one of them.',
  },
  invitation_pending: {
    status: 409,
    title: 'Already invited',
    help: 'The address has an invitation that is still good. Send it again, or revoke it and invite anew.',
  },
  too_many_invitations: {
    status: 409,
    title: 'Too many invitations are pending',
    help: 'An organization may have 500 invitations that nobody has answered. Wait until some are accepted or expire, or revoke some.',
  },
  invitation_invalid: {
    status: 400,
    title: 'Invitation not valid',
    help: 'It was used, revoked or sent again, it has expired, or who invited may no longer do so. Ask for a new one.',
  },
  invitation_for_another: {
    status: 403,
    title: 'The invitation is for another address',
    help: 'The token is good, but the address of the signed-in account is not the invited one. Sign in with the account whose address the invitation was sent to.',
  },
  account_exists: {
    status: 409,
    title: 'The address has an account',
    help: 'The invited person is registered already, so no account was made. Sign in and accept the invitation with `POST /api/v1/invitations/accept`.',
  },
})
