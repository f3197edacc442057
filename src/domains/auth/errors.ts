import { defineErrors } from '../../lib/errors.ts'

export const authErrors = defineErrors({
  invalid_credentials: {
    status: 401,
    title: 'Address or password not correct',
    help: 'The address is unknown or the password is wrong; which of the two is not said.',
  },
  refresh_token_invalid: {
    status: 401,
    title: 'Refresh token not valid',
    help: 'It expired, was used before, or its session has ended. Sign in again.',
  },
  token_invalid: {
    status: 400,
    title: 'Token not valid',
    help: 'The link was used before, has expired, or was cut off. Ask for a new one.',
  },
  email_not_verified: {
    status: 403,
    title: 'Address not verified',
    help: 'Follow the link in the mail; `POST /api/v1/auth/verify-email/resend` sends another.',
  },
  account_deactivated: { status: 403, title: 'Account deactivated', help: 'Ask your administrator.' },
})
