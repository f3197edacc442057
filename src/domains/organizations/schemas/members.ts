import { type Static, Type } from '@sinclair/typebox'
import { ORGANIZATION_ROLES } from '../../../lib/access.ts'
import { Closed, Email, Id, List, ListQuery, Nullable, StringEnum, Text, Timestamp } from '../../../lib/schema.ts'
import { UserName } from '../../users/schemas.ts'

const Role = StringEnum(ORGANIZATION_ROLES)

export const Member = Type.Object(
  {
    organizationId: Id,
    userId: Id,
    name: UserName,
    email: Nullable(Email),
    role: Role,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Member' },
)
export type Member = Static<typeof Member>
export const UpdateMember = Closed({ role: Role }, { title: 'UpdateMember', examples: [{ role: 'admin' }] })
export const TransferOwnership = Closed({ userId: Id }, { title: 'TransferOwnership' })
export type TransferOwnership = Static<typeof TransferOwnership>
export const MemberList = List(Member)
export const MembersQuery = ListQuery(
  { role: Type.Optional(Role), search: Type.Optional(Text(1, 200, { description: 'Part of a name or an address.' })) },
  ['createdAt'],
)
