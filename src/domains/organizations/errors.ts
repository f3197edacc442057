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
    help: 'This user belongs to the organization already; change the role instead.',
  },
  last_owner: {
    status: 409,
    title: 'The last owner stays',
    help: 'Make another member owner first, or delete the organization. An account that is the last owner of one stays too.',
  },
  owner_required: {
    status: 403,
    title: 'Only an owner can do that',
    help: 'Granting the role owner, and changing or removing an owner, takes an owner.',
  },
})
