import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { type Actor, member, principalOf } from '../../lib/access.ts'
import { orNotFound, problems } from '../../lib/errors.ts'
import { IdParams, Nothing } from '../../lib/schema.ts'
import { listOrganizationTasks, listProjectTasks, taskReader } from './queries/read.ts'
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
  const readTask = taskReader(app.database)
  const createTask = taskCreator(app)

  app.route({
    method: 'POST',
    url: '/projects/:id/tasks',
    config: { access: member('member', 'project', 'tasks:write', 'statement') },
    schema: {
      operationId: 'createTask',
      summary: 'Create a task',
      params: IdParams,
      body: CreateTask,
      response: { 201: Task, ...problems(404, 409, 422) },
    },
    async handler({ caller, actor, params, body }, reply) {
      const task = await createTask(caller, actor as Actor, params.id, body)
      reply.code(201).header('location', `/api/v1/tasks/${task.id}`)
      return task
    },
  })

  app.route({
    method: 'GET',
    url: '/projects/:id/tasks',
    config: { access: member('viewer', 'project', 'tasks:read', 'statement') },
    schema: {
      operationId: 'listTasks',
      summary: 'The tasks of a project',
      params: IdParams,
      querystring: TasksQuery,
      response: { 200: TaskList, ...problems(400, 404, 422) },
    },
    handler: async ({ actor, params, query }) =>
      orNotFound(await listProjectTasks(app.database, { projectId: params.id }, principalOf(actor), query)),
  })

  app.route({
    method: 'GET',
    url: '/organizations/:id/tasks',
    config: { access: member('viewer', 'organization', 'tasks:read', 'statement') },
    schema: {
      operationId: 'listOrganizationTasks',
      summary: 'The tasks of all projects of an organization',
      params: IdParams,
      querystring: TasksQuery,
      response: { 200: TaskList, ...problems(400, 404, 422) },
    },
    handler: async ({ actor, params, query }) =>
      orNotFound(await listOrganizationTasks(app.database, { organizationId: params.id }, principalOf(actor), query)),
  })

  app.route({
    method: 'GET',
    url: '/tasks/:id',
    config: { access: member('viewer', 'task', 'tasks:read', 'statement') },
    schema: {
      operationId: 'getTask',
      summary: 'A task',
      params: IdParams,
      response: { 200: Task, ...problems(404) },
    },
    handler: async ({ actor, params }) => orNotFound(await readTask({ ...principalOf(actor), id: params.id })),
  })

  app.route({
    method: 'PATCH',
    url: '/tasks/:id',
    config: write,
    schema: {
      operationId: 'updateTask',
      summary: 'Change a task; `assigneeId` assigns it',
      params: IdParams,
      body: UpdateTask,
      response: { 200: Task, ...problems(404, 412, 422) },
    },
    handler: ({ caller, organizationId, params, body, ifMatch }) =>
      updateTask(caller, { organizationId, id: params.id }, body, ifMatch),
  })

  app.route({
    method: 'DELETE',
    url: '/tasks/:id',
    config: write,
    schema: {
      operationId: 'deleteTask',
      summary: 'Delete a task with its comments',
      params: IdParams,
      response: { 204: Nothing, ...problems(404, 412) },
    },
    async handler({ caller, params, ifMatch }, reply) {
      await deleteTask(caller, params.id, ifMatch)
      reply.code(204)
      return null
    },
  })

  app.route({
    method: 'POST',
    url: '/tasks/:id/complete',
    config: write,
    schema: {
      operationId: 'completeTask',
      summary: 'Set a task to done',
      params: IdParams,
      response: { 200: Task, ...problems(404, 412) },
    },
    handler: ({ caller, organizationId, params, ifMatch }) =>
      updateTask(caller, { organizationId, id: params.id }, { status: 'done' }, ifMatch),
  })

  app.route({
    method: 'POST',
    url: '/tasks/:id/move',
    config: write,
    schema: {
      operationId: 'moveTask',
      summary: 'Move a task to another project of the organization',
      params: IdParams,
      body: MoveTask,
      response: { 200: Task, ...problems(404, 412, 422) },
    },
    handler: ({ caller, params, body, ifMatch }) => moveTask(caller, params.id, body.projectId, ifMatch),
  })

  app.route({
    method: 'POST',
    url: '/projects/:id/tasks/bulk',
    config: writeInProject,
    schema: {
      operationId: 'createTasks',
      summary: 'Create up to 500 tasks, all or none',
      params: IdParams,
      body: CreateTasks,
      response: { 201: Tasks, ...problems(404, 409, 422) },
    },
    async handler({ caller, actor, params, body }, reply) {
      const rows = body.tasks.map(task => newTask(caller, principalOf(actor), params.id, task))
      reply.code(201)
      return { data: await createTasks(app, caller, actor as Actor, rows) }
    },
  })

  app.route({
    method: 'PATCH',
    url: '/projects/:id/tasks/bulk',
    config: writeInProject,
    schema: {
      operationId: 'updateTasks',
      summary: 'Change up to 500 tasks of a project, all or none',
      params: IdParams,
      body: UpdateTasks,
      response: { 200: Tasks, ...problems(404, 422) },
    },
    async handler({ caller, organizationId, params, body }) {
      return { data: await updateTasks(caller, { organizationId, id: params.id }, body.tasks) }
    },
  })
}
