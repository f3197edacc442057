import type { Static } from '@sinclair/typebox'
import { Closed, Email, GivenPassword, Password, Token } from '../../../lib/schema.ts'

export const ForgotPassword = Closed(
  { email: Email },
  { title: 'ForgotPassword', examples: [{ email: 'demo@lintel.localhost' }] },
)

export const ResetPassword = Closed({ token: Token, password: Password }, { title: 'ResetPassword' })
export type ResetPassword = Static<typeof ResetPassword>

export const ChangePassword = Closed(
  { currentPassword: GivenPassword, newPassword: Password },
  {
    title: 'ChangePassword',
    examples: [{ currentPassword: 'demo-password', newPassword: 'correct horse battery' }],
  },
)
export type ChangePassword = Static<typeof ChangePassword>
