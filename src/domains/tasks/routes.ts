import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Actor, member, principalOf } from '../../lib/access.ts'
import { orNotFound, problems } from '../../lib/errors.ts'
import { Nothing } from '../../lib/schema.ts'
import { route } from '../../plugins/routes.ts'
import { taskErrors } from './errors.ts'
import { listOrganizationTasks, listProjectTasks, readTask } from './queries/read.ts'
import {
  CreateTask,
  CreateTasks,
  MoveTask,
  Task,
  TaskList,
  Tasks,
  TasksQuery,
  UpdateTask,
  UpdateTasks,
} from './schemas.ts'
import { taskCreator } from './service/creator.ts'
import { createTasks, deleteTask, moveTask, newTask, updateTask, updateTasks } from './service/tasks.ts'

const write = { access: member('member', 'task', 'tasks:write') }
const writeInProject = { access: member('member', 'project', 'tasks:write') }

export const taskRoutes: FastifyPluginAsyncTypebox = async app => {
  const createTask = taskCreator(app)

  route(app, {
    method: 'POST',
    url: '/projects/:id/tasks',
    config: { access: member('member', 'project', 'tasks:write', 'statement') },
    schema: {
      operationId: 'createTask',
      summary: 'Create a task',
      body: CreateTask,
      response: { 201: Task, ...problems(taskErrors.project_archived) },
    },
    handler: ({ caller, actor, params, body }) => createTask(caller, actor as Actor, params.id, body),
  })

  route(app, {
    method: 'GET',
    url: '/projects/:id/tasks',
    config: { access: member('viewer', 'project', 'tasks:read', 'statement'), mayLag: true },
    schema: {
      operationId: 'listTasks',
      summary: 'The tasks of a project',
      querystring: TasksQuery,
      response: { 200: TaskList },
    },
    handler: async ({ actor, params, query, reads }) =>
      orNotFound(await listProjectTasks(reads, { projectId: params.id }, principalOf(actor), query)),
  })

  route(app, {
    method: 'GET',
    url: '/organizations/:id/tasks',
    config: { access: member('viewer', 'organization', 'tasks:read', 'statement'), mayLag: true },
    schema: {
      operationId: 'listOrganizationTasks',
      summary: 'The tasks of all projects of an organization',
      querystring: TasksQuery,
      response: { 200: TaskList },
    },
    handler: async ({ actor, params, query, reads }) =>
      orNotFound(await listOrganizationTasks(reads, { organizationId: params.id }, principalOf(actor), query)),
  })

  route(app, {
    method: 'GET',
    url: '/tasks/:id',
    config: { access: member('viewer', 'task', 'tasks:read', 'statement'), mayLag: true },
    schema: {
      operationId: 'getTask',
      summary: 'A task',
      response: { 200: Task },
    },
    handler: async ({ actor, params, reads }) =>
      orNotFound(await readTask(reads, { ...principalOf(actor), id: params.id })),
  })

  route(app, {
    method: 'PATCH',
    url: '/tasks/:id',
    config: write,
    schema: {
      operationId: 'updateTask',
      summary: 'Change a task; `assigneeId` assigns it',
      body: UpdateTask,
      response: { 200: Task },
    },
    handler: ({ caller, organizationId, params, body, ifMatch }) =>
      updateTask(caller, { organizationId, id: params.id }, body, ifMatch),
  })

  route(app, {
    method: 'DELETE',
    url: '/tasks/:id',
    config: write,
    schema: {
      operationId: 'deleteTask',
      summary: 'Delete a task with its comments',
      response: { 204: Nothing },
    },
    handler: async ({ caller, params, ifMatch }) => void (await deleteTask(caller, params.id, ifMatch)),
  })

  route(app, {
    method: 'POST',
    url: '/tasks/:id/complete',
    config: write,
    schema: {
      operationId: 'completeTask',
      summary: 'Set a task to done',
      response: { 200: Task },
    },
    handler: ({ caller, organizationId, params, ifMatch }) =>
      updateTask(caller, { organizationId, id: params.id }, { status: 'done' }, ifMatch),
  })

  route(app, {
    method: 'POST',
    url: '/tasks/:id/move',
    config: write,
    schema: {
      operationId: 'moveTask',
      summary: 'Move a task to another project of the organization',
      body: MoveTask,
      response: { 200: Task },
    },
    handler: ({ caller, params, body, ifMatch }) => moveTask(caller, params.id, body.projectId, ifMatch),
  })

  route(app, {
    method: 'POST',
    url: '/projects/:id/tasks/bulk',
    config: writeInProject,
    schema: {
      operationId: 'createTasks',
      summary: 'Create up to 500 tasks, all or none',
      body: CreateTasks,
      response: { 201: Tasks, ...problems(taskErrors.project_archived) },
    },
    async handler({ caller, actor, params, body }, reply) {
      const rows = body.tasks.map(task => newTask(caller, principalOf(actor), params.id, task))
      reply.code(201)
      return { data: await createTasks(app, caller, actor as Actor, rows) }
    },
  })

  route(app, {
    method: 'PATCH',
    url: '/projects/:id/tasks/bulk',
    config: writeInProject,
    schema: {
      operationId: 'updateTasks',
      summary: 'Change up to 500 tasks of a project, all or none',
      body: UpdateTasks,
      response: { 200: Tasks },
    },
    async handler({ caller, organizationId, params, body }) {
      return { data: await updateTasks(caller, { organizationId, id: params.id }, body.tasks) }
    },
  })
}
