import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, signedIn } from '../../../lib/access.ts'
import { accountProblems, problems } from '../../../lib/errors.ts'
import { route } from '../../../plugins/routes.ts'
import { AccountDeletion } from '../schemas/deletion.ts'
import { deleteMe } from '../service/deletion.ts'

export const deletionRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'DELETE',
    url: '/users/me',
    config: { access: signedIn, affects: ['sessions', 'jobs.job'] },
    schema: {
      operationId: 'deleteMe',
      summary: 'Delete the account of the signed-in user after 14 days; signing in keeps it',
      tags: ['users'],
      response: { 202: AccountDeletion, ...problems(...accountProblems()) },
    },
    handler: ({ caller, actor, ifMatch }) => deleteMe(app, caller, asUser(actor).id, ifMatch),
  })
}
