import { connection, type Graph, memberOf, reference } from '../../plugins/graphql/graph.ts'
import { listOrganizationTasks, listProjectTasks, readTasks } from './queries/read.ts'
import { Task } from './schemas.ts'

type Parent = { id: string }

export const taskGraph: Graph = {
  types: { Task: { item: Task, operation: 'getTask', find: readTasks } },
  fields: {
    Query: { task: reference('Task') },
    Organization: {
      tasks: connection('Task', 'listOrganizationTasks', listOrganizationTasks, ({ id }: Parent) => ({
        organizationId: id,
      })),
    },
    Project: {
      tasks: connection('Task', 'listTasks', listProjectTasks, ({ id }: Parent) => ({ projectId: id })),
    },
    Task: {
      organization: reference('Organization', ({ organizationId }: Task) => organizationId),
      project: reference('Project', ({ projectId }: Task) => projectId),
      assignee: memberOf(({ assigneeId }: Task) => assigneeId),
      creator: memberOf(({ createdBy }: Task) => createdBy),
    },
  },
  mutations: ['createTask', 'updateTask', 'completeTask', 'moveTask', 'deleteTask'],
}
