import { type Static, Type } from '@sinclair/typebox'
import { Closed, Id, ListQuery, Nullable, Patch, StringEnum, Text, Timestamp, VisibleText } from '../../lib/schema.ts'

const Name = VisibleText(200, { description: 'What the project is called.', examples: ['Website'] })
const Description = Nullable(Text(0, 10_000), {
  description: 'What the project is about; null for nothing said.',
  examples: ['Everything about the new site'],
})
const Status = StringEnum(['active', 'archived'], { description: 'An archived project takes no new tasks.' })

export const Project = Type.Object(
  {
    id: Id,
    organizationId: Id,
    name: Name,
    description: Description,
    status: Status,
    archivedAt: Nullable(Timestamp, {
      description: 'When it was archived; null while it is active.',
      examples: [null],
    }),
    createdBy: Nullable(Id, { description: 'The user who created it; null where an API key did.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Project', description: 'A named collection of tasks.' },
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
    status: Type.Optional({ ...Status, description: 'Only projects with this status.' }),
    search: Type.Optional(Text(1, 200, { description: 'Part of the name.' })),
  },
  ['createdAt'],
)
