import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { member } from '../../../lib/access.ts'
import { route } from '../../../plugins/routes.ts'
import { Usage, UsageQuery } from '../schemas/usage.ts'
import { usageOf } from '../service/usage.ts'

export const reportRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'GET',
    url: '/organizations/:id/usage',
    config: { access: member('admin', 'organization', 'usage:read') },
    schema: {
      operationId: 'getUsage',
      summary: 'What an organization has used, day by day of UTC; at most a year',
      querystring: UsageQuery,
      response: { 200: Usage },
    },
    handler: ({ params, query }) => usageOf(app, params.id, query),
  })
}
