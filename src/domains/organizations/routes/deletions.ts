import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, member, signedIn } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { route } from '../../../plugins/routes.ts'
import { organizationErrors } from '../errors.ts'
import { findDeletion, listDeletions } from '../queries/deletions.ts'
import { Deletion, DeletionList, DeletionsQuery } from '../schemas/deletions.ts'
import { deleteOrganization } from '../service/organizations.ts'

export const deletionRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
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
      response: { 202: Deletion, ...problems(organizationErrors.owner_required) },
    },
    async handler({ caller, params, ifMatch }, reply) {
      const deletion = await deleteOrganization(app, caller, params.id, ifMatch)
      reply.code(202).header('location', `/api/v1/deletions/${deletion.id}`)
      return deletion
    },
  })

  route(app, {
    method: 'GET',
    url: '/deletions',
    config: { access: signedIn },
    schema: {
      operationId: 'listDeletions',
      summary: 'The deletions of organizations that the caller asked for',
      querystring: DeletionsQuery,
      response: { 200: DeletionList },
    },
    handler: async ({ actor, query }) =>
      orNotFound(await listDeletions(app.database, { requestedBy: asUser(actor).id }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/deletions/:id',
    config: { access: signedIn },
    schema: {
      operationId: 'getDeletion',
      summary: 'How far a deletion is, for who asked for it',
      response: { 200: Deletion },
    },
    handler: async ({ actor, params }) =>
      orNotFound(await findDeletion(app.database, { id: params.id, requestedBy: asUser(actor).id })),
  })
}
