import { type Static, Type } from '@sinclair/typebox'
import { Closed, Email, Password, Token } from '../../../lib/schema.ts'
import { User, UserName } from '../../users/schemas.ts'

export const Register = Closed(
  { email: Email, password: Password, name: UserName },
  {
    title: 'Register',
    examples: [{ email: 'ada@example.com', password: 'correct horse battery', name: 'Ada Lovelace' }],
  },
)
export type Register = Static<typeof Register>
export const Registered = Type.Object({ user: User }, { title: 'Registered', description: 'The new account.' })

export const VerifyEmail = Closed({ token: Token }, { title: 'VerifyEmail' })
export const ResendVerification = Closed({ email: Email }, { title: 'ResendVerification' })
