import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { member } from '../../lib/access.ts'
import { orNotFound, problems } from '../../lib/errors.ts'
import { IdParams, Nothing } from '../../lib/schema.ts'
import { findProject, listProjects } from './queries.ts'
import { CreateProject, Project, ProjectList, ProjectsQuery, UpdateProject } from './schemas.ts'
import { archiveProject, createProject, deleteProject, restoreProject, updateProject } from './service.ts'

const read = { access: member('viewer', 'project', 'projects:read') }
const write = { access: member('member', 'project', 'projects:write') }

export const projectRoutes: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/organizations/:id/projects',
    config: { access: member('member', 'organization', 'projects:write') },
    schema: {
      operationId: 'createProject',
      summary: 'Create a project',
      params: IdParams,
      body: CreateProject,
      response: { 201: Project, ...problems(404, 422) },
    },
    async handler({ caller, params, body }, reply) {
      const project = await createProject(caller, params.id, body)
      reply.code(201).header('location', `/api/v1/projects/${project.id}`)
      return project
    },
  })

  app.route({
    method: 'GET',
    url: '/organizations/:id/projects',
    config: { access: member('viewer', 'organization', 'projects:read') },
    schema: {
      operationId: 'listProjects',
      summary: 'The projects of an organization',
      params: IdParams,
      querystring: ProjectsQuery,
      response: { 200: ProjectList, ...problems(400, 404, 422) },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listProjects(app.database, { organizationId: params.id }, {}, query)),
  })

  app.route({
    method: 'GET',
    url: '/projects/:id',
    config: read,
    schema: {
      operationId: 'getProject',
      summary: 'A project',
      params: IdParams,
      response: { 200: Project, ...problems(404) },
    },
    handler: async ({ params }) => orNotFound(await findProject(app.database, { id: params.id })),
  })

  app.route({
    method: 'PATCH',
    url: '/projects/:id',
    config: write,
    schema: {
      operationId: 'updateProject',
      summary: 'Change a project',
      params: IdParams,
      body: UpdateProject,
      response: { 200: Project, ...problems(404, 412, 422) },
    },
    handler: ({ caller, params, body, ifMatch }) => updateProject(caller, params.id, body, ifMatch),
  })

  app.route({
    method: 'DELETE',
    url: '/projects/:id',
    config: { access: member('admin', 'project', 'projects:write') },
    schema: {
      operationId: 'deleteProject',
      summary: 'Delete a project with its tasks',
      params: IdParams,
      response: { 204: Nothing, ...problems(404, 412) },
    },
    async handler({ caller, params, ifMatch }, reply) {
      await deleteProject(caller, params.id, ifMatch)
      reply.code(204)
      return null
    },
  })

  app.route({
    method: 'POST',
    url: '/projects/:id/archive',
    config: write,
    schema: {
      operationId: 'archiveProject',
      summary: 'Archive a project: it takes no new tasks',
      params: IdParams,
      response: { 200: Project, ...problems(404, 412) },
    },
    handler: ({ caller, params, ifMatch }) => archiveProject(caller, params.id, ifMatch),
  })

  app.route({
    method: 'POST',
    url: '/projects/:id/restore',
    config: write,
    schema: {
      operationId: 'restoreProject',
      summary: 'Make an archived project active again',
      params: IdParams,
      response: { 200: Project, ...problems(404, 412) },
    },
    handler: ({ caller, params, ifMatch }) => restoreProject(caller, params.id, ifMatch),
  })
}
