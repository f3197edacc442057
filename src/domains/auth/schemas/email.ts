import { type Static, Type } from '@sinclair/typebox'
import { Closed, Email, GivenPassword, Token } from '../../../lib/schema.ts'

export const ChangeEmail = Closed(
  {
    email: Email,
    password: Type.Optional({ ...GivenPassword, description: 'Required where the account has one.' }),
  },
  { title: 'ChangeEmail', examples: [{ email: 'ada@example.com', password: 'demo-password' }] },
)
export type ChangeEmail = Static<typeof ChangeEmail>

export const ConfirmEmail = Closed({ token: Token }, { title: 'ConfirmEmail' })

export const EmailConfirmation = Type.Object(
  {
    oldConfirmed: Type.Boolean({ description: 'True as well where the account had no confirmed address.' }),
    newConfirmed: Type.Boolean(),
  },
  { title: 'EmailConfirmation', description: 'The address has changed when both are true.' },
)
export type EmailConfirmation = Static<typeof EmailConfirmation>
