import { type Static, Type } from '@sinclair/typebox'
import { ORGANIZATION_ROLES } from '../../../lib/access.ts'
import {
  Closed,
  Email,
  Id,
  List,
  ListQuery,
  Nullable,
  Password,
  StringEnum,
  Timestamp,
  Token,
} from '../../../lib/schema.ts'
import { User, UserName } from '../../users/schemas.ts'

const Role = StringEnum(ORGANIZATION_ROLES)

export const Invitation = Type.Object(
  {
    id: Id,
    organizationId: Id,
    email: Email,
    role: Role,
    invitedBy: Nullable(Id),
    expiresAt: Timestamp,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Invitation' },
)
export type Invitation = Static<typeof Invitation>

export const CreateInvitation = Closed(
  { email: Email, role: Role },
  { title: 'CreateInvitation', examples: [{ email: 'grace@example.com', role: 'member' }] },
)
export type CreateInvitation = Static<typeof CreateInvitation>
export const InvitationList = List(Invitation)
export const InvitationsQuery = ListQuery({ role: Type.Optional(Role) }, ['createdAt'])

export const AcceptInvitation = Closed({ token: Token }, { title: 'AcceptInvitation' })
export const RegisterInvited = Closed(
  { token: Token, name: UserName, password: Password },
  { title: 'RegisterInvited' },
)
export type RegisterInvited = Static<typeof RegisterInvited>
/** As after an ordinary registration, but with the address confirmed. */
export const Joined = Type.Object({ user: User }, { title: 'Joined' })
