import { type Static, Type } from '@sinclair/typebox'
import { Closed, Id, List, ListQuery, Nullable, Patch, StringEnum, Text, Timestamp } from '../../lib/schema.ts'

/** All or nothing; past this a request takes longer than a request should. */
const MAX_BULK = 500

const Title = Text(1, 200, { examples: ['Write the release notes'] })
const Description = Nullable(Text(0, 10_000))
const Status = StringEnum(['open', 'in_progress', 'done', 'cancelled'])
const Priority = Type.Integer({ minimum: 0, maximum: 4, description: '0 (none) to 4 (urgent).' })

export const Task = Type.Object(
  {
    id: Id,
    organizationId: Id,
    projectId: Id,
    title: Title,
    description: Description,
    status: Status,
    priority: Priority,
    assigneeId: Nullable(Id),
    dueAt: Nullable(Timestamp),
    completedAt: Nullable(Timestamp),
    createdBy: Nullable(Id),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Task' },
)
export type Task = Static<typeof Task>

const settable = {
  description: Description,
  status: Status,
  priority: Priority,
  assigneeId: Nullable(Id, { description: 'A member of the organization.' }),
  dueAt: Nullable(Timestamp),
}

export const CreateTask = Closed(
  { title: Title, ...Type.Partial(Type.Object(settable)).properties },
  { title: 'CreateTask', examples: [{ title: 'Write the release notes', priority: 2 }] },
)
export type CreateTask = Static<typeof CreateTask>
export const UpdateTask = Patch(Closed({ title: Title, ...settable }), {
  title: 'UpdateTask',
  examples: [{ status: 'in_progress' }],
})
export type UpdateTask = Static<typeof UpdateTask>
export const MoveTask = Closed({ projectId: Id }, { title: 'MoveTask' })

export const CreateTasks = Closed(
  { tasks: Type.Array(CreateTask, { minItems: 1, maxItems: MAX_BULK }) },
  { title: 'CreateTasks', examples: [{ tasks: [{ title: 'First' }, { title: 'Second' }] }] },
)
const TaskChange = Closed(
  { id: Id, ...Type.Partial(Type.Object({ title: Title, ...settable })).properties },
  { title: 'TaskChange' },
)
export type TaskChange = Static<typeof TaskChange>
export const UpdateTasks = Closed(
  { tasks: Type.Array(TaskChange, { minItems: 1, maxItems: MAX_BULK }) },
  { title: 'UpdateTasks' },
)
export const Tasks = Type.Object({ data: Type.Array(Task) }, { title: 'Tasks' })

const TaskFilters = Type.Object({
  status: Type.Optional(Status),
  assigneeId: Type.Optional(Id),
  priority: Type.Optional(Priority),
  dueBefore: Type.Optional(Timestamp),
  dueAfter: Type.Optional(Timestamp),
  search: Type.Optional(
    Text(1, 200, { description: 'Whole words of title or description; "quoted" for a phrase, -word to exclude.' }),
  ),
})
export type TaskFilters = Static<typeof TaskFilters>

export const TaskList = List(Task)
export const TasksQuery = ListQuery(TaskFilters.properties, ['createdAt', 'updatedAt', 'dueAt', 'priority'])
