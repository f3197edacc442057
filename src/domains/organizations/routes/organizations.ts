import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, member, signedIn } from '../../../lib/access.ts'
import { orNotFound, problems } from '../../../lib/errors.ts'
import { route } from '../../../plugins/routes.ts'
import { organizationErrors } from '../errors.ts'
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
  route(app, {
    method: 'POST',
    url: '/organizations',
    config: { access: signedIn, affects: ['members'] },
    schema: {
      operationId: 'createOrganization',
      summary: 'Create an organization; the caller becomes its owner',
      body: CreateOrganization,
      response: { 201: Organization, ...problems(organizationErrors.slug_taken) },
    },
    handler: ({ caller, actor, body }) => createOrganization(caller, asUser(actor), body),
  })

  route(app, {
    method: 'GET',
    url: '/organizations',
    config: { access: signedIn },
    schema: {
      operationId: 'listOrganizations',
      summary: 'The organizations of the caller',
      querystring: OrganizationsQuery,
      response: { 200: OrganizationList },
    },
    handler: async ({ actor, query }) =>
      orNotFound(await listOrganizations(app.database, { userId: asUser(actor).id }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/organizations/:id',
    config: { access: member('viewer', 'organization', 'organization:read') },
    schema: {
      operationId: 'getOrganization',
      summary: 'An organization',
      response: { 200: Organization },
    },
    handler: async ({ caller, params }) =>
      orNotFound(await findOrganization(app.database, { id: params.id, userId: caller.actor.id })),
  })

  route(app, {
    method: 'PATCH',
    url: '/organizations/:id',
    config: { access: member('admin', 'organization') },
    schema: {
      operationId: 'updateOrganization',
      summary: 'Rename an organization or change its slug',
      body: UpdateOrganization,
      response: { 200: Organization, ...problems(organizationErrors.slug_taken) },
    },
    handler: ({ caller, params, body, ifMatch }) => updateOrganization(caller, params.id, body, ifMatch),
  })
}
