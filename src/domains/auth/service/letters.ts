/** Subject and text of a mail, without the address. */
export interface Letter {
  subject: string
  text: string
}

export const VERIFICATION_SECONDS = 86_400
export const RESET_SECONDS = 1_800
/** Longer than after a request of one's own: who is invited does not wait for the mail. */
export const INVITATION_SECONDS = 604_800
export const EMAIL_CHANGE_SECONDS = 86_400
/** Days from the request to the erasure; signing in before then keeps the account. */
export const GRACE_DAYS = 14

export const verification = (link: string): Letter => ({
  subject: 'Confirm your address',
  text: `Somebody, perhaps you, registered at Lintel with this address and chose a password.

If it was you, confirm your address within 24 hours:
${link}

If it was not you, do not follow the link: it confirms an account whose password somebody else knows. To have the account for
yourself, choose a password of your own: "forgot password" on the sign-in page. That signs everybody else out.
`,
})

export const alreadyRegistered: Letter = {
  subject: 'You already have an account',
  text: `Somebody, perhaps you, tried to register with this address, which already has an account.

Sign in as usual. If it was not you, there is nothing to do.
`,
}

export const passwordReset = (link: string): Letter => ({
  subject: 'Choose a new password',
  text: `Somebody, perhaps you, asked for a new password for your account.

Choose one within 30 minutes:
${link}

If it was not you, ignore this mail: your password stays as it is.
`,
})

export const accountInvitation = (link: string): Letter => ({
  subject: 'You have an account',
  text: `An admin of Lintel made an account for you with this address.

Choose a password for it within 7 days:
${link}

After that, "forgot password" on the sign-in page sends a new link. If you expected no account, ignore this mail: without a password
nobody signs in.
`,
})

export const oldAddress = (link: string, email: string): Letter => ({
  subject: 'Confirm the change of your address',
  text: `The address of your account is to become ${email}.

If you want that, confirm it within 24 hours, here and in the mail to the new address:
${link}

If it was not you, change your password now: somebody knows it. Without this link nothing changes.
`,
})

export const newAddress = (link: string): Letter => ({
  subject: 'Confirm your new address',
  text: `This address is to become that of an account at Lintel.

If it is yours, confirm it within 24 hours:
${link}

If you did not ask for this, ignore this mail.
`,
})

export const addressInUse: Letter = {
  subject: 'This address already has an account',
  text: `Somebody, perhaps you, asked for this address to become that of another account. It already has one of its own.

If it was not you, there is nothing to do.
`,
}

/** Mails that tell the owner of an account about a change that has happened. */
export const notices = {
  password_changed: {
    subject: 'Your password was changed',
    text: `The password of your account was changed, and other devices were signed out.

If it was not you, ask for a new password now: "forgot password" on the sign-in page.
`,
  },
  email_changed: {
    subject: 'The address of your account was changed',
    text: `The address of your account was changed after both addresses had confirmed it. Other devices were signed out.

If it was not you, tell us at once.
`,
  },
  deletion_requested: {
    subject: 'Your account will be deleted',
    text: `Your account will be erased in ${GRACE_DAYS} days, with everything that is yours alone. All devices were signed out.

To keep it, sign in before that.
`,
  },
  deletion_cancelled: {
    subject: 'Your account stays',
    text: `You signed in, so your account will not be erased.

If it was not you, ask for a new password now: "forgot password" on the sign-in page.
`,
  },
  password_removed: {
    subject: 'You signed in with Google for the first time',
    text: `You signed in with Google, which confirmed your address. Somebody, perhaps you, had registered with it before and never
confirmed it: the password of then no longer works, and everybody was signed out.

To have a password again, choose one: "forgot password" on the sign-in page.
`,
  },
  identity_linked: {
    subject: 'Your account has another way to sign in',
    text: `A Google account or a wallet was linked to your account: whoever holds it can sign in.

If it was not you, unlink it in your settings and change your password.
`,
  },
  identity_unlinked: {
    subject: 'Your account has one way less to sign in',
    text: `A Google account or a wallet was unlinked from your account: it signs nobody in to it any more.

If it was not you, change your password now.
`,
  },
} satisfies Record<string, Letter>
export type Notice = keyof typeof notices
