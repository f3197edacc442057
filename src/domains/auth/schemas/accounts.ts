import type { Static } from '@sinclair/typebox'
import { Closed, Email, Password, Patch, Token } from '../../../lib/schema.ts'
import { PlatformRole, UserName } from '../../users/schemas.ts'

export const UpdateAccount = Patch(Closed({ name: UserName, role: PlatformRole }), {
  title: 'UpdateAccount',
  examples: [{ role: 'moderator' }],
})
export type UpdateAccount = Static<typeof UpdateAccount>

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
