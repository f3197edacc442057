import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, platform, signedIn } from '../../../lib/access.ts'
import { accountProblems, problems } from '../../../lib/errors.ts'
import { route } from '../../../plugins/routes.ts'
import { AccountDeletion } from '../schemas/deletion.ts'
import { deleteAccount } from '../service/deletion.ts'

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
    handler: ({ caller, actor, ifMatch }) => deleteAccount(app, caller, asUser(actor).id, ifMatch),
  })

  route(app, {
    method: 'DELETE',
    url: '/users/:id',
    config: { access: platform('admin'), affects: ['sessions', 'jobs.job'] },
    schema: {
      operationId: 'deleteUser',
      summary: 'Delete an account after 14 days, as its owner could; signing in keeps it',
      tags: ['users'],
      response: { 202: AccountDeletion, ...problems(...accountProblems()) },
    },
    handler: ({ caller, params, ifMatch }) => deleteAccount(app, caller, params.id, ifMatch),
  })
}
