import { type Static, Type } from '@sinclair/typebox'
import { Closed, Id, ListQuery, Nullable, Patch, StringEnum, Text, Timestamp } from '../../lib/schema.ts'

const Name = Text(1, 200, { examples: ['Website'] })
const Description = Nullable(Text(0, 10_000))
const Status = StringEnum(['active', 'archived'])

export const Project = Type.Object(
  {
    id: Id,
    organizationId: Id,
    name: Name,
    description: Description,
    status: Status,
    archivedAt: Nullable(Timestamp),
    createdBy: Nullable(Type.String({ format: 'uuid', description: 'The user; null for an API key.' })),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Project' },
)
export type Project = Static<typeof Project>

export const CreateProject = Closed(
  { name: Name, description: Type.Optional(Description) },
  { title: 'CreateProject', examples: [{ name: 'Website', description: 'Everything about the new site' }] },
)
export type CreateProject = Static<typeof CreateProject>
export const UpdateProject = Patch(Closed({ name: Name, description: Description }), {
  title: 'UpdateProject',
  examples: [{ name: 'Website 2.0' }],
})
export type UpdateProject = Static<typeof UpdateProject>

export const ProjectsQuery = ListQuery(
  {
    status: Type.Optional(Status),
    search: Type.Optional(Text(1, 200, { description: 'Part of the name.' })),
  },
  ['createdAt'],
)
