import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { member } from '../../lib/access.ts'
import { orNotFound } from '../../lib/errors.ts'
import { Nothing } from '../../lib/schema.ts'
import { route } from '../../plugins/routes.ts'
import { findProject, listProjects } from './queries.ts'
import { CreateProject, Project, ProjectList, ProjectsQuery, UpdateProject } from './schemas.ts'
import { archiveProject, createProject, deleteProject, restoreProject, updateProject } from './service.ts'

const read = { access: member('viewer', 'project', 'projects:read') }
const write = { access: member('member', 'project', 'projects:write') }

export const projectRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'POST',
    url: '/organizations/:id/projects',
    config: { access: member('member', 'organization', 'projects:write') },
    schema: {
      operationId: 'createProject',
      summary: 'Create a project',
      body: CreateProject,
      response: { 201: Project },
    },
    handler: ({ caller, params, body }) => createProject(caller, params.id, body),
  })

  route(app, {
    method: 'GET',
    url: '/organizations/:id/projects',
    config: { access: member('viewer', 'organization', 'projects:read') },
    schema: {
      operationId: 'listProjects',
      summary: 'The projects of an organization',
      querystring: ProjectsQuery,
      response: { 200: ProjectList },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listProjects(app.database, { organizationId: params.id }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/projects/:id',
    config: read,
    schema: {
      operationId: 'getProject',
      summary: 'A project',
      response: { 200: Project },
    },
    handler: async ({ params }) => orNotFound(await findProject(app.database, { id: params.id })),
  })

  route(app, {
    method: 'PATCH',
    url: '/projects/:id',
    config: write,
    schema: {
      operationId: 'updateProject',
      summary: 'Change a project',
      body: UpdateProject,
      response: { 200: Project },
    },
    handler: ({ caller, params, body, ifMatch }) => updateProject(caller, params.id, body, ifMatch),
  })

  route(app, {
    method: 'DELETE',
    url: '/projects/:id',
    config: { access: member('admin', 'project', 'projects:write') },
    schema: {
      operationId: 'deleteProject',
      summary: 'Delete a project with its tasks',
      response: { 204: Nothing },
    },
    handler: async ({ caller, params, ifMatch }) => void (await deleteProject(caller, params.id, ifMatch)),
  })

  route(app, {
    method: 'POST',
    url: '/projects/:id/archive',
    config: write,
    schema: {
      operationId: 'archiveProject',
      summary: 'Archive a project: it takes no new tasks',
      response: { 200: Project },
    },
    handler: ({ caller, params, ifMatch }) => archiveProject(caller, params.id, ifMatch),
  })

  route(app, {
    method: 'POST',
    url: '/projects/:id/restore',
    config: write,
    schema: {
      operationId: 'restoreProject',
      summary: 'Make an archived project active again',
      response: { 200: Project },
    },
    handler: ({ caller, params, ifMatch }) => restoreProject(caller, params.id, ifMatch),
  })
}
