import { type Static, Type } from '@sinclair/typebox'
import { Closed, Email, GivenPassword, Token } from '../../../lib/schema.ts'

export const ChangeEmail = Closed(
  {
    email: { ...Email, description: 'The address to change to.' },
    password: Type.Optional({
      ...GivenPassword,
      description: 'The present password; required where the account has one.',
    }),
  },
  { title: 'ChangeEmail', examples: [{ email: 'ada@example.com', password: 'demo-password' }] },
)
export type ChangeEmail = Static<typeof ChangeEmail>

export const ConfirmEmail = Closed({ token: Token }, { title: 'ConfirmEmail' })

export const EmailConfirmation = Type.Object(
  {
    oldConfirmed: Type.Boolean({
      description: 'Whether the old address has confirmed; true as well where there was no confirmed one.',
    }),
    newConfirmed: Type.Boolean({ description: 'Whether the new address has confirmed.' }),
  },
  { title: 'EmailConfirmation', description: 'The address has changed when both are true.' },
)
export type EmailConfirmation = Static<typeof EmailConfirmation>
