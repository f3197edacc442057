import { type Static, Type } from '@sinclair/typebox'
import { ORGANIZATION_ROLES } from '../../lib/access.ts'
import { Closed, Email, Id, List, ListQuery, Nullable, Patch, StringEnum, Text, Timestamp } from '../../lib/schema.ts'
import { UserName } from '../users/schemas.ts'

const OrganizationName = Text(1, 100, { examples: ['Analytical Engines Ltd'] })
const Slug = Type.String({
  pattern: '^[a-z0-9]+(-[a-z0-9]+)*$',
  minLength: 2,
  maxLength: 60,
  description: 'Lower-case letters, digits and single hyphens; unique.',
})
const Role = StringEnum(ORGANIZATION_ROLES)

export const Organization = Type.Object(
  {
    id: Id,
    name: OrganizationName,
    slug: Slug,
    role: StringEnum(ORGANIZATION_ROLES, { description: 'The role of the caller; a key counts as member.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Organization' },
)
export type Organization = Static<typeof Organization>

export const CreateOrganization = Closed(
  { name: OrganizationName, slug: Type.Optional(Slug) },
  { title: 'CreateOrganization', examples: [{ name: 'Analytical Engines Ltd' }] },
)
export type CreateOrganization = Static<typeof CreateOrganization>
export const UpdateOrganization = Patch(Closed({ name: OrganizationName, slug: Slug }), {
  title: 'UpdateOrganization',
  examples: [{ name: 'Difference Engines Ltd' }],
})
export type UpdateOrganization = Static<typeof UpdateOrganization>
export const OrganizationList = List(Organization)
export const OrganizationsQuery = ListQuery({}, ['createdAt'])

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
export const MemberParams = Closed({ id: Id, userId: Id })
export const UpdateMember = Closed({ role: Role }, { title: 'UpdateMember', examples: [{ role: 'admin' }] })
export const MemberList = List(Member)
export const MembersQuery = ListQuery(
  { role: Type.Optional(Role), search: Type.Optional(Text(1, 200, { description: 'Part of a name or an address.' })) },
  ['createdAt'],
)
