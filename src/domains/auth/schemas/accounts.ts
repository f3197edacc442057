import type { Static } from '@sinclair/typebox'
import { PLATFORM_ROLES } from '../../../lib/access.ts'
import { Closed, Email, Password, Patch, StringEnum, Token } from '../../../lib/schema.ts'
import { UserName } from '../../users/schemas.ts'

export const UpdateAccount = Patch(Closed({ name: UserName, role: StringEnum(PLATFORM_ROLES) }), {
  title: 'UpdateAccount',
  examples: [{ role: 'moderator' }],
})
export type UpdateAccount = Static<typeof UpdateAccount>

export const CreateFirstAdmin = Closed(
  { token: Token, email: Email, password: Password, name: UserName },
  { title: 'CreateFirstAdmin' },
)
export type CreateFirstAdmin = Static<typeof CreateFirstAdmin>
