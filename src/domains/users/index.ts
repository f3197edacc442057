import type { Domain } from '../../plugins/domains.ts'
import { demoUserId, insertDemoUsers } from './demo.ts'
import { userGraph } from './graphql.ts'
import { userRoutes } from './routes.ts'

export const users: Domain = {
  name: 'users',
  tag: { name: 'users', description: 'People: their accounts, profiles and settings.' },
  demo: { ids: { users: demoUserId }, insert: insertDemoUsers },
  graph: userGraph,
  register: async app => void (await app.register(userRoutes)),
}
