import type { Domain } from '../../plugins/domains.ts'
import { demoCommentId, insertDemoComment } from './demo.ts'
import { commentGraph } from './graphql.ts'
import { commentRoutes } from './routes.ts'
import { comments as table } from './tables.ts'

export const comments: Domain = {
  name: 'comments',
  tag: { name: 'comments', description: 'What members say about a task or a post.' },
  scopes: { 'comments:read': 'Read comments.', 'comments:write': 'Write comments.' },
  tenantTables: [{ table, resource: 'comment' }],
  demo: { ids: { comments: demoCommentId }, insert: insertDemoComment },
  graph: commentGraph,
  register: async app => void (await app.register(commentRoutes)),
}
