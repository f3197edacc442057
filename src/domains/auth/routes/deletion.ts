import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, signedIn } from '../../../lib/access.ts'
import { problems } from '../../../lib/errors.ts'
import { AccountDeletion } from '../schemas/deletion.ts'
import { deleteMe } from '../service/deletion.ts'

export const deletionRoutes: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'DELETE',
    url: '/users/me',
    config: { access: signedIn, affects: ['sessions', 'jobs.job'] },
    schema: {
      operationId: 'deleteMe',
      summary: 'Delete the account of the signed-in user after 14 days; signing in keeps it',
      tags: ['users'],
      response: { 202: AccountDeletion, ...problems(409, 412) },
    },
    async handler({ caller, actor, ifMatch }, reply) {
      reply.code(202)
      return deleteMe(app, caller, asUser(actor).id, ifMatch)
    },
  })
}
