import { type Static, Type } from '@sinclair/typebox'
import { Closed, Email, Password, Patch, Token } from '../../../lib/schema.ts'
import { PlatformRole, UserName } from '../../users/schemas.ts'

export const UpdateAccount = Patch(Closed({ name: UserName, role: PlatformRole }), {
  title: 'UpdateAccount',
  examples: [{ role: 'moderator' }],
})
export type UpdateAccount = Static<typeof UpdateAccount>

export const ReplaceAccount = Closed(
  { name: UserName, role: PlatformRole },
  { title: 'ReplaceAccount', examples: [{ name: 'Ada Lovelace', role: 'user' }] },
)

export const CreateUser = Closed(
  {
    email: Email,
    name: UserName,
    role: Type.Optional({ ...PlatformRole, description: 'The role on the platform; `user` where it is left out.' }),
  },
  { title: 'CreateUser', examples: [{ email: 'grace@example.com', name: 'Grace Hopper' }] },
)
export type CreateUser = Static<typeof CreateUser>

export const CreateFirstAdmin = Closed(
  {
    token: { ...Token, description: 'The token of the printed link; good once.' },
    email: Email,
    password: Password,
    name: UserName,
  },
  { title: 'CreateFirstAdmin' },
)
export type CreateFirstAdmin = Static<typeof CreateFirstAdmin>
