import type { FastifyInstance } from 'fastify'
import type { Form } from '../../../lib/form.ts'
import type { Purpose } from '../queries/tokens.ts'
import { CreateFirstAdmin } from '../schemas/accounts.ts'
import { ConfirmEmail } from '../schemas/email.ts'
import { SignedInQuery } from '../schemas/google.ts'
import { ResetPassword } from '../schemas/passwords.ts'
import { VerifyEmail } from '../schemas/registration.ts'
import { confirmEmail } from '../service/email-change.ts'
import { createFirstAdmin } from '../service/first-admin.ts'
import { signedInBody } from '../service/google-page.ts'
import { resetPassword } from '../service/password-reset.ts'
import { verifyEmail } from '../service/registration.ts'
import { isLive } from '../service/tokens.ts'

const email = { name: 'email', label: 'Address', type: 'email', autocomplete: 'username' } as const
const name = { name: 'name', label: 'Name', type: 'text', autocomplete: 'name' } as const
const password = { name: 'password', label: 'New password', type: 'password', autocomplete: 'new-password' } as const

/** Plain pages for the links in mails and redirects, used while there is no front end (APP_URL). */
export async function pageRoutes(app: FastifyInstance) {
  const whileLive =
    (form: Form, ...purposes: Purpose[]) =>
    async (token: string) =>
      (await isLive(app.database, token, ...purposes)) ? form : undefined

  app.pages.ask({
    path: '/first-admin',
    title: 'Become the first admin',
    body: CreateFirstAdmin,
    form: whileLive(
      {
        intro: ['This makes an account that administers the whole platform.'],
        fields: [email, name, password],
        button: 'Create the account',
      },
      'first_admin',
    ),
    async submit(caller, body) {
      const admin = await createFirstAdmin(caller, body)
      return `${admin.email} is an admin now, and signs in with the password.`
    },
  })

  app.pages.ask({
    path: '/verify-email',
    title: 'Confirm your address',
    body: VerifyEmail,
    form: whileLive(
      {
        intro: [
          'Confirm only if it was you who registered and chose the password.',
          'If it was not, somebody else knows the password: leave this page and ask for a new one ("forgot password").',
        ],
        fields: [],
        button: 'Confirm the address',
      },
      'verify_email',
    ),
    async submit(caller, { token }) {
      await verifyEmail(caller, token)
      return 'The address is confirmed. You can sign in now.'
    },
  })

  app.pages.ask({
    path: '/reset-password',
    title: 'Choose a new password',
    body: ResetPassword,
    form: whileLive(
      { intro: ['Every device that is signed in will be signed out.'], fields: [password], button: 'Set the password' },
      'reset_password',
    ),
    async submit(caller, body) {
      await resetPassword(app, caller, body)
      return 'The password is set, and every device is signed out. Sign in with it now.'
    },
  })

  app.pages.ask({
    path: '/confirm-email',
    title: 'Confirm the change of your address',
    body: ConfirmEmail,
    form: whileLive(
      {
        intro: ['The address changes once both mails are confirmed, this one and the one to the other address.'],
        fields: [],
        button: 'Confirm',
      },
      'old_email',
      'new_email',
    ),
    async submit(caller, { token }) {
      const { oldConfirmed, newConfirmed } = await confirmEmail(app, caller, token)
      if (oldConfirmed && newConfirmed) return 'The address is changed.'
      return `Confirmed. The link in the mail to the ${oldConfirmed ? 'new' : 'old'} address completes the change.`
    },
  })

  app.pages.show({
    path: '/signed-in',
    title: 'Back from Google',
    querystring: SignedInQuery,
    body: signedInBody,
  })
}
