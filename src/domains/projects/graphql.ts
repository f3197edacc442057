import { connection, type Graph, memberOf, reference } from '../../plugins/graphql/graph.ts'
import { projects, readProjects } from './queries.ts'
import { Project } from './schemas.ts'

export const projectGraph: Graph = {
  types: { Project: { item: Project, operation: 'getProject', find: readProjects } },
  fields: {
    Query: { project: reference('Project') },
    Organization: {
      projects: connection('Project', 'listProjects', projects.list, ({ id }: { id: string }) => ({ parentId: id })),
    },
    Project: {
      organization: reference('Organization', ({ organizationId }: Project) => organizationId),
      creator: memberOf(({ createdBy }: Project) => createdBy),
    },
  },
  mutations: ['createProject', 'updateProject', 'archiveProject', 'restoreProject', 'deleteProject'],
}
