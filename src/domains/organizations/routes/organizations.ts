import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, member, signedIn } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { IdParams } from '../../../lib/schema.ts'
import { findOrganization, listOrganizations } from '../queries/organizations.ts'
import {
  CreateOrganization,
  Organization,
  OrganizationList,
  OrganizationsQuery,
  UpdateOrganization,
} from '../schemas/organizations.ts'
import { createOrganization, updateOrganization } from '../service/organizations.ts'

export const organizationRoutes: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/organizations',
    config: { access: signedIn, affects: ['members'] },
    schema: {
      operationId: 'createOrganization',
      summary: 'Create an organization; the caller becomes its owner',
      body: CreateOrganization,
      response: { 201: Organization, ...problems(409, 422) },
    },
    async handler({ caller, actor, body }, reply) {
      const organization = await createOrganization(caller, asUser(actor), body)
      reply.code(201).header('location', `/api/v1/organizations/${organization.id}`)
      return organization
    },
  })

  app.route({
    method: 'GET',
    url: '/organizations',
    config: { access: signedIn },
    schema: {
      operationId: 'listOrganizations',
      summary: 'The organizations of the caller',
      querystring: OrganizationsQuery,
      response: { 200: OrganizationList, ...problems(400, 422) },
    },
    handler: async ({ actor, query }) =>
      orNotFound(await listOrganizations(app.database, { userId: asUser(actor).id }, {}, query)),
  })

  app.route({
    method: 'GET',
    url: '/organizations/:id',
    config: { access: member('viewer', 'organization', 'organization:read') },
    schema: {
      operationId: 'getOrganization',
      summary: 'An organization',
      params: IdParams,
      response: { 200: Organization, ...problems(404) },
    },
    handler: async ({ caller, params }) =>
      orNotFound(await findOrganization(app.database, { id: params.id, userId: caller.actor.id })),
  })

  app.route({
    method: 'PATCH',
    url: '/organizations/:id',
    config: { access: member('admin', 'organization') },
    schema: {
      operationId: 'updateOrganization',
      summary: 'Rename an organization or change its slug',
      params: IdParams,
      body: UpdateOrganization,
      response: { 200: Organization, ...problems(404, 409, 412, 422) },
    },
    handler: ({ caller, params, body, ifMatch }) => updateOrganization(caller, params.id, body, ifMatch),
  })
}
