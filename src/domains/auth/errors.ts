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
  password_wrong: {
    status: 403,
    title: 'Password not correct',
    help: 'Send the present password of the account. The session goes on; a new access token would change nothing.',
  },
  password_not_set: {
    status: 409,
    title: 'The account has no password',
    help: 'Set the first one with a link: `POST /api/v1/auth/password/forgot`. Without an address, add one first.',
  },
  reauthentication_required: {
    status: 403,
    title: 'Sign in again first',
    help: 'The account has no password to ask for, so this needs a sign-in of the last ten minutes.',
  },
  email_taken: {
    status: 409,
    title: 'Address belongs to another account',
    constraint: 'users_email_key',
    help: 'Each address has one account, and this one got it before; nothing was changed.',
  },
  last_admin: {
    status: 409,
    title: 'Last admin of the platform',
    help: 'Without an active admin nobody could make another one. Make somebody else an admin first.',
  },
  account_deactivated: { status: 403, title: 'Account deactivated', help: 'Ask your administrator.' },
})
