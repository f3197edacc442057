import { defineErrors } from '../../lib/errors.ts'

export const userErrors = defineErrors({
  email_taken: {
    status: 409,
    title: 'Address already in use',
    constraint: 'users_email_key',
    help: 'Another account has this address.',
  },
})
