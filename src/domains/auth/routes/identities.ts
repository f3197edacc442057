import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, signedIn } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { Nothing } from '../../../lib/schema.ts'
import { route } from '../../../plugins/routes.ts'
import { authErrors } from '../errors.ts'
import { listIdentities } from '../queries/identities.ts'
import { IdentitiesQuery, IdentityList } from '../schemas/identities.ts'
import { unlinkIdentity } from '../service/identities.ts'

export const identityRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'GET',
    url: '/auth/identities',
    config: { access: signedIn },
    schema: {
      operationId: 'listIdentities',
      summary: 'What the signed-in user can sign in with besides the password',
      querystring: IdentitiesQuery,
      response: { 200: IdentityList },
    },
    handler: async ({ actor, query }) =>
      orNotFound(await listIdentities(app.database, { userId: asUser(actor).id }, {}, query)),
  })

  route(app, {
    method: 'DELETE',
    url: '/auth/identities/:id',
    config: { access: signedIn, affects: ['jobs.job'] },
    schema: {
      operationId: 'unlinkIdentity',
      summary: 'Unlink an identity; the last way to sign in stays',
      response: { 204: Nothing, ...problems(authErrors.last_sign_in_method) },
    },
    handler: async ({ caller, actor, params }) => void (await unlinkIdentity(app, caller, asUser(actor).id, params.id)),
  })
}
