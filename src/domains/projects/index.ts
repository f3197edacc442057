import type { Domain } from '../../plugins/domains.ts'
import { demoProjectId, insertDemoProject } from './demo.ts'
import { projectGraph } from './graphql.ts'
import { projectRoutes } from './routes.ts'
import { projects as table } from './tables.ts'

export const projects: Domain = {
  name: 'projects',
  tag: { name: 'projects', description: 'Containers of the tasks of an organization.' },
  scopes: { 'projects:read': 'Read projects.', 'projects:write': 'Create, change, archive and delete projects.' },
  tenantTables: [{ table, resource: 'project' }],
  demo: { ids: { projects: demoProjectId }, insert: insertDemoProject },
  graph: projectGraph,
  register: async app => void (await app.register(projectRoutes)),
}
