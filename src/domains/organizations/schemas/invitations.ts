import { type Static, Type } from '@sinclair/typebox'
import {
  Closed,
  Email,
  GivenPassword,
  Id,
  List,
  ListQuery,
  Nullable,
  OrganizationRole,
  Password,
  Timestamp,
  Token,
} from '../../../lib/schema.ts'
import { User, UserName } from '../../users/schemas.ts'

const Role = { ...OrganizationRole, description: 'The role that the invited person will have.' }

export const Invitation = Type.Object(
  {
    id: Id,
    organizationId: Id,
    email: { ...Email, description: 'The address that the invitation was sent to.' },
    role: Role,
    invitedBy: Nullable(Id, {
      description: 'The user who invited, whose account may be erased since; null where nobody is known.',
    }),
    expiresAt: { ...Timestamp, description: 'Until then it can be accepted: seven days.' },
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Invitation', description: 'Somebody is asked to join an organization, and has not answered yet.' },
)
export type Invitation = Static<typeof Invitation>

export const CreateInvitation = Closed(
  { email: { ...Email, description: 'Whom to invite.' }, role: Role },
  { title: 'CreateInvitation', examples: [{ email: 'grace@example.com', role: 'member' }] },
)
export type CreateInvitation = Static<typeof CreateInvitation>
export const InvitationList = List(Invitation)
export const InvitationsQuery = ListQuery(
  { role: Type.Optional({ ...OrganizationRole, description: 'Only invitations to this role.' }) },
  ['createdAt'],
)

export const AcceptInvitation = Closed({ token: Token }, { title: 'AcceptInvitation' })
/** The form of the plain page; the address is that of the invitation. */
export const AcceptWithPassword = Closed({ token: Token, password: GivenPassword })
export type AcceptWithPassword = Static<typeof AcceptWithPassword>
export const RegisterInvited = Closed(
  { token: Token, name: UserName, password: Password },
  { title: 'RegisterInvited' },
)
export type RegisterInvited = Static<typeof RegisterInvited>
/** The response is that of an ordinary registration, but the address is verified. */
export const Joined = Type.Object(
  { user: User },
  { title: 'Joined', description: 'The new account, which belongs to the organization.' },
)
