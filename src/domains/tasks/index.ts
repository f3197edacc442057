import type { Domain } from '../../plugins/domains.ts'
import { demoTaskId, insertDemoTasks } from './demo.ts'
import { taskGraph } from './graphql.ts'
import { taskRoutes } from './routes.ts'
import { tasks as table } from './tables.ts'

export const tasks: Domain = {
  name: 'tasks',
  tag: { name: 'tasks', description: 'What is to be done, in the projects of an organization.' },
  scopes: { 'tasks:read': 'Read tasks.', 'tasks:write': 'Create, change, move and delete tasks.' },
  tenantTables: [{ table, resource: 'task' }],
  demo: { ids: { tasks: demoTaskId }, insert: insertDemoTasks },
  graph: taskGraph,
  register: async app => void (await app.register(taskRoutes)),
}
