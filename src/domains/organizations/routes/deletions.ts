import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, member, signedIn } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { IdParams } from '../../../lib/schema.ts'
import { findDeletion, listDeletions } from '../queries/deletions.ts'
import { Deletion, DeletionList, DeletionsQuery } from '../schemas/deletions.ts'
import { deleteOrganization } from '../service/organizations.ts'

export const deletionRoutes: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'DELETE',
    url: '/organizations/:id',
    config: {
      access: member('owner', 'organization'),
      affects: ['members', 'invitations', 'api_keys', 'deletions', 'jobs.job'],
      records: ['organization.deleted'],
    },
    schema: {
      operationId: 'deleteOrganization',
      summary: 'Delete an organization with everything in it: access ends at once, a job erases the rest',
      params: IdParams,
      response: { 202: Deletion, ...problems(404, 412) },
    },
    async handler({ caller, params, ifMatch }, reply) {
      const deletion = await deleteOrganization(app, caller, params.id, ifMatch)
      reply.code(202).header('location', `/api/v1/deletions/${deletion.id}`)
      return deletion
    },
  })

  app.route({
    method: 'GET',
    url: '/deletions',
    config: { access: signedIn },
    schema: {
      operationId: 'listDeletions',
      summary: 'The deletions of organizations that the caller asked for',
      querystring: DeletionsQuery,
      response: { 200: DeletionList, ...problems(400, 422) },
    },
    handler: async ({ actor, query }) =>
      orNotFound(await listDeletions(app.database, { requestedBy: asUser(actor).id }, {}, query)),
  })

  app.route({
    method: 'GET',
    url: '/deletions/:id',
    config: { access: signedIn },
    schema: {
      operationId: 'getDeletion',
      summary: 'How far a deletion is, for who asked for it',
      params: IdParams,
      response: { 200: Deletion, ...problems(404) },
    },
    handler: async ({ actor, params }) =>
      orNotFound(await findDeletion(app.database, { id: params.id, requestedBy: asUser(actor).id })),
  })
}
