import type { Domain } from '../../plugins/domains.ts'
import { demoPostId, insertDemoPost } from './demo.ts'
import { postGraph } from './graphql.ts'
import { registerPostJobs } from './jobs.ts'
import { postRoutes } from './routes.ts'
import { posts as table } from './tables.ts'

export const posts: Domain = {
  name: 'posts',
  tag: { name: 'posts', description: 'Announcements of an organization.' },
  scopes: { 'posts:read': 'Read posts.', 'posts:write': 'Write, change, publish and delete posts.' },
  tenantTables: [{ table, resource: 'post' }],
  demo: { ids: { posts: demoPostId }, insert: insertDemoPost },
  graph: postGraph,
  async register(app) {
    await app.register(postRoutes)
    registerPostJobs(app)
  },
}
