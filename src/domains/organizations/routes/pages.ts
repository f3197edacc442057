import type { FastifyInstance } from 'fastify'
import { sha256 } from '../../../lib/crypto.ts'
import type { Form } from '../../../lib/form.ts'
import { findOffer } from '../queries/invitations.ts'
import { AcceptWithPassword, RegisterInvited } from '../schemas/invitations.ts'
import { acceptWithPassword, registerInvited } from '../service/acceptance.ts'

const name = { name: 'name', label: 'Your name', type: 'text', autocomplete: 'name' } as const
const password = { name: 'password', label: 'Password', type: 'password' } as const
const page = { title: 'Join an organization' }
const PATH = '/invitation'
const SIGN_IN_PATH = '/invitation/sign-in'

/** The plain page for the link of an invitation, used while there is no front end (APP_URL). */
export async function pageRoutes(app: FastifyInstance, policy: { unverifiedLogin: boolean }) {
  const form = async (token: string): Promise<Form | undefined> => {
    const offer = await findOffer(app.database, { hash: sha256(token) })
    return offer && (offer.registered ? signIn(offer) : register(offer))
  }

  app.pages.ask({
    ...page,
    path: PATH,
    body: RegisterInvited,
    form,
    async submit(caller, body) {
      const { email } = await registerInvited(app, caller, body)
      return `Welcome. You are a member now, and sign in as ${email} with the password.`
    },
  })

  app.pages.ask({
    ...page,
    path: SIGN_IN_PATH,
    body: AcceptWithPassword,
    form,
    async submit(caller, body) {
      await acceptWithPassword(app, caller, body, policy)
      return 'You are a member now. Sign in as usual.'
    },
  })
}

type Offer = NonNullable<Awaited<ReturnType<typeof findOffer>>>

const sentence = ({ organization, role }: Offer): string =>
  `You are invited to join “${organization}” with the role ${role}.`

const register = (offer: Offer): Form => ({
  intro: [sentence(offer), `An account is made for ${offer.email}.`],
  fields: [name, { ...password, autocomplete: 'new-password' }],
  button: 'Create the account and join',
  action: PATH,
})

const signIn = (offer: Offer): Form => ({
  intro: [sentence(offer), `${offer.email} has an account: its password shows that it is yours.`],
  fields: [{ ...password, autocomplete: 'current-password' }],
  button: 'Join',
  action: SIGN_IN_PATH,
})
