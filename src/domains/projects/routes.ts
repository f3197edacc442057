import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { member } from '../../lib/access.ts'
import { resourceRoutes } from '../../plugins/resources.ts'
import { route } from '../../plugins/routes.ts'
import { projects } from './queries.ts'
import { CreateProject, Project, ProjectsQuery, UpdateProject } from './schemas.ts'
import { archiveProject, restoreProject } from './service.ts'

const write = { access: member('member', 'project', 'projects:write') }

export const projectRoutes: FastifyPluginAsyncTypebox = async app => {
  resourceRoutes(app, projects, {
    create: { access: ['member', 'projects:write'], body: CreateProject },
    list: { access: ['viewer', 'projects:read'], querystring: ProjectsQuery },
    get: { access: ['viewer', 'projects:read'] },
    update: { access: ['member', 'projects:write'], body: UpdateProject },
    delete: { access: ['admin', 'projects:write'], summary: 'Delete a project with its tasks' },
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
