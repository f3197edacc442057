import { defineErrors } from '../../lib/errors.ts'

export const authErrors = defineErrors({
  invalid_credentials: {
    status: 401,
    title: 'Address or password not correct',
    help: 'The address is unknown or the password is wrong; which of the two is not said. Check both, or set a new password by `POST /api/v1/auth/password/forgot`.',
  },
  refresh_token_invalid: {
    status: 401,
    title: 'Refresh token not valid',
    help: 'It expired, was used before, or its session has ended. Sign in again, and keep only the newest refresh token.',
  },
  token_invalid: {
    status: 400,
    title: 'Token not valid',
    help: 'The link or code was used before, has expired, or was cut off. Ask for a new one.',
  },
  email_not_verified: {
    status: 403,
    title: 'Address not verified',
    help: 'Before the address is confirmed nobody signs in here, and no identity is linked to the account. Follow the link in the mail; `POST /api/v1/auth/verify-email/resend` sends another.',
  },
  password_wrong: {
    status: 403,
    title: 'Password not correct',
    help: 'The password that confirms this step is not the present one of the account; the session goes on, so a new access token would change nothing. Send the present password.',
  },
  password_not_set: {
    status: 409,
    title: 'The account has no password',
    help: 'The account has no password yet that could be changed or asked for. Set the first one with a link: `POST /api/v1/auth/password/forgot`; without an address, add one first.',
  },
  reauthentication_required: {
    status: 403,
    title: 'Sign in again first',
    help: 'This step needs a sign-in of the last ten minutes, or the password where the account has one. Sign in again and repeat it.',
  },
  email_taken: {
    status: 409,
    title: 'Address belongs to another account',
    constraint: 'users_email_key',
    help: 'Each address has one account, and another got this one; nothing was changed. Use another address, or sign in to the account that has it.',
  },
  wallet_proof_invalid: {
    status: 400,
    title: 'Message or signature not valid',
    help: 'The message is not one of this site, its nonce was used or has expired, or another wallet signed it. Ask `POST /api/v1/auth/wallet/nonce` for a new one and let the wallet sign it as it stands.',
  },
  google_not_configured: {
    status: 404,
    title: 'Nobody signs in with Google here',
    help: 'This installation has no client at Google. Sign in another way; the operator switches it on by `GOOGLE_CLIENT_ID` and `GOOGLE_CLIENT_SECRET`.',
  },
  google_unavailable: {
    status: 503,
    title: 'Google cannot be reached',
    retryAfter: 5,
    help: 'Google did not answer, or not as it should, and nothing was changed. Begin again after a few seconds.',
  },
  google_denied: {
    status: 403,
    title: 'Google was not allowed to tell who you are',
    help: 'Whoever was asked at Google said no, and nothing was changed. Begin again and agree, or sign in another way.',
  },
  google_sign_in_failed: {
    status: 400,
    title: 'Sign-in with Google failed',
    help: 'It took longer than ten minutes, was begun in another browser or once more in this one, was used before, or the answer of Google cannot be trusted. Begin again at `GET /api/v1/auth/google`.',
  },
  google_email_unverified: {
    status: 403,
    title: 'Google has not verified the address',
    help: 'An address that Google has not verified proves nothing, so no account is made or found by it. Verify it at Google, or sign in another way and link the Google account.',
  },
  google_link_required: {
    status: 409,
    title: 'The account is not linked with Google',
    help: 'The address has an account, and Google does not host the address, so its word is not enough to enter the account. Sign in the usual way, by `POST /api/v1/auth/password/forgot` if need be, and link Google from there: `POST /api/v1/auth/google/link`.',
  },
  identity_taken: {
    status: 409,
    title: 'Linked to another account',
    constraint: 'identities_subject_key',
    help: 'Whoever signs in with it gets the other account; nothing was changed. Sign in with it, and unlink it there first.',
  },
  last_sign_in_method: {
    status: 409,
    title: 'Last way to sign in',
    help: 'Without it nobody could sign in to the account. Link another identity or set a password first.',
  },
  last_admin: {
    status: 409,
    title: 'Last admin of the platform',
    keepsAccount: true,
    help: 'Without an active admin nobody could make another one. Make somebody else an admin first.',
  },
  account_deactivated: {
    status: 403,
    title: 'Account deactivated',
    help: 'An admin has deactivated the account, which ended its sessions. Ask your administrator to activate it.',
  },
})
