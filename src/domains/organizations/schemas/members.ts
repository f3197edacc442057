import { type Static, Type } from '@sinclair/typebox'
import { Closed, Email, Id, List, ListQuery, Nullable, OrganizationRole, Text, Timestamp } from '../../../lib/schema.ts'
import { UserName } from '../../users/schemas.ts'

export const Member = Type.Object(
  {
    organizationId: Id,
    userId: Id,
    name: UserName,
    email: Nullable(Email, { description: 'The address of the user; null where the account has none.' }),
    role: OrganizationRole,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Member', description: 'A user in an organization.' },
)
export type Member = Static<typeof Member>
export const UpdateMember = Closed({ role: OrganizationRole }, { title: 'UpdateMember', examples: [{ role: 'admin' }] })
export const TransferOwnership = Closed(
  { userId: { ...Id, description: 'The member who becomes owner.' } },
  { title: 'TransferOwnership' },
)
export type TransferOwnership = Static<typeof TransferOwnership>
export const MemberList = List(Member)
export const MembersQuery = ListQuery(
  {
    role: Type.Optional({ ...OrganizationRole, description: 'Only members with this role.' }),
    search: Type.Optional(Text(1, 200, { description: 'Part of a name or an address.' })),
  },
  ['createdAt'],
)
