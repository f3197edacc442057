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
    help: 'An organization never goes without an owner, so its last one can neither leave, step down nor delete the account. Make another member owner first, or delete the organization.',
  },
  owner_required: {
    status: 403,
    title: 'Only an owner can do that',
    help: 'Granting the role owner, and changing or removing an owner, takes an owner. Ask one of them.',
  },
})
