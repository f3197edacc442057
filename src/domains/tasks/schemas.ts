import { type Static, Type } from '@sinclair/typebox'
import { demoId } from '../../lib/demo.ts'
import {
  Closed,
  Id,
  List,
  ListQuery,
  Nullable,
  Patch,
  StringEnum,
  Text,
  Timestamp,
  VisibleText,
} from '../../lib/schema.ts'

/** A bulk request is all or nothing; with more tasks it would take too long for one request. */
const MAX_BULK = 500

const Title = VisibleText(200, {
  description: 'What is to be done, in a line.',
  examples: ['Write the release notes'],
})
const Description = Nullable(Text(0, 10_000), {
  description: 'What is to be done, at length; null for nothing said.',
  examples: ['What changed, for whom, and what to do.'],
})
const Status = StringEnum(['open', 'in_progress', 'done', 'cancelled'], {
  description: 'How far it is; `completedAt` follows it.',
})
const Priority = Type.Integer({
  minimum: 0,
  maximum: 4,
  description: 'How urgent it is, from 0 (not at all) to 4.',
  examples: [2],
})
const AssigneeId = Nullable(Id, { description: 'The member of the organization who does it; null for nobody yet.' })
const DueAt = Nullable(Timestamp, { description: 'When it should be done; null for no date.' })

export const Task = Type.Object(
  {
    id: Id,
    organizationId: Id,
    projectId: Id,
    title: Title,
    description: Description,
    status: Status,
    priority: Priority,
    assigneeId: AssigneeId,
    dueAt: DueAt,
    completedAt: Nullable(Timestamp, { description: 'When it was done; null while it is not.', examples: [null] }),
    createdBy: Nullable(Id, { description: 'The user who created it; null where an API key did.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Task', description: 'Something to do in a project.' },
)
export type Task = Static<typeof Task>

const settable = {
  description: Description,
  status: Status,
  priority: Priority,
  assigneeId: AssigneeId,
  dueAt: DueAt,
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
export const MoveTask = Closed(
  { projectId: { ...Id, description: 'The project to move it to, of the same organization.' } },
  { title: 'MoveTask' },
)

export const CreateTasks = Closed(
  { tasks: Type.Array(CreateTask, { minItems: 1, maxItems: MAX_BULK, description: 'The new tasks: all or none.' }) },
  { title: 'CreateTasks', examples: [{ tasks: [{ title: 'First' }, { title: 'Second' }] }] },
)
const TaskChange = Closed(
  { id: Id, ...Type.Partial(Type.Object({ title: Title, ...settable })).properties },
  { title: 'TaskChange', description: 'The new values of one task; what is left out stays.' },
)
export type TaskChange = Static<typeof TaskChange>
export const UpdateTasks = Closed(
  {
    tasks: Type.Array(TaskChange, {
      minItems: 1,
      maxItems: MAX_BULK,
      description: 'The changes, each of another task: all or none.',
    }),
  },
  { title: 'UpdateTasks', examples: [{ tasks: [{ id: demoId(40), status: 'done' }] }] },
)
export const Tasks = Type.Object(
  { data: Type.Array(Task, { description: 'The tasks in the order of the request.' }) },
  { title: 'Tasks', description: 'The tasks of a bulk request.' },
)

const TaskFilters = Type.Object({
  status: Type.Optional({ ...Status, description: 'Only tasks with this status.' }),
  assigneeId: Type.Optional({ ...Id, description: 'Only tasks of this user.' }),
  priority: Type.Optional({ ...Priority, description: 'Only tasks with this priority.' }),
  dueBefore: Type.Optional({ ...Timestamp, description: 'Only tasks that are due before this time.' }),
  dueAfter: Type.Optional({ ...Timestamp, description: 'Only tasks that are due after this time.' }),
  search: Type.Optional(
    Text(1, 200, { description: 'Whole words of title or description; "quoted" for a phrase, -word to exclude.' }),
  ),
})
export type TaskFilters = Static<typeof TaskFilters>

export const TaskList = List(Task)
export const TasksQuery = ListQuery(TaskFilters.properties, ['createdAt', 'updatedAt', 'dueAt', 'priority'])
