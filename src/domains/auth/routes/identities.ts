import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, signedIn } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { IdParams, Nothing } from '../../../lib/schema.ts'
import { listIdentities } from '../queries/identities.ts'
import { IdentitiesQuery, IdentityList } from '../schemas/identities.ts'
import { unlinkIdentity } from '../service/identities.ts'

export const identityRoutes: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'GET',
    url: '/auth/identities',
    config: { access: signedIn },
    schema: {
      operationId: 'listIdentities',
      summary: 'What the signed-in user can sign in with besides the password',
      querystring: IdentitiesQuery,
      response: { 200: IdentityList, ...problems(400, 422) },
    },
    handler: async ({ actor, query }) =>
      orNotFound(await listIdentities(app.database, { userId: asUser(actor).id }, {}, query)),
  })

  app.route({
    method: 'DELETE',
    url: '/auth/identities/:id',
    config: { access: signedIn, affects: ['jobs.job'] },
    schema: {
      operationId: 'unlinkIdentity',
      summary: 'Unlink an identity; the last way to sign in stays',
      params: IdParams,
      response: { 204: Nothing, ...problems(404, 409) },
    },
    async handler({ caller, actor, params }, reply) {
      await unlinkIdentity(app, caller, asUser(actor).id, params.id)
      reply.code(204)
      return null
    },
  })
}
