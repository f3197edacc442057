import { type Static, Type } from '@sinclair/typebox'
import { ORGANIZATION_ROLES } from '../../../lib/access.ts'
import { Closed, Id, List, ListQuery, Patch, StringEnum, Timestamp, VisibleText } from '../../../lib/schema.ts'
import { SLUG_PATTERN } from '../../../lib/slug.ts'

const OrganizationName = VisibleText(100, {
  description: 'What the organization is called.',
  examples: ['Analytical Engines Ltd'],
})
const Slug = Type.String({
  pattern: SLUG_PATTERN,
  minLength: 2,
  maxLength: 60,
  description: 'Its name in addresses: lower-case letters, digits and single hyphens; unique.',
  examples: ['analytical-engines'],
})

export const Organization = Type.Object(
  {
    id: Id,
    name: OrganizationName,
    slug: Slug,
    role: StringEnum(ORGANIZATION_ROLES, { description: 'The role of the caller; a key counts as member.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Organization', description: 'A tenant: everything below it belongs to it and to nobody else.' },
)
export type Organization = Static<typeof Organization>

export const CreateOrganization = Closed(
  {
    name: OrganizationName,
    slug: Type.Optional({ ...Slug, description: 'Its name in addresses; made from the name where it is left out.' }),
  },
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
