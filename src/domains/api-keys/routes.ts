import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { member } from '../../lib/access.ts'
import { orNotFound } from '../../lib/errors.ts'
import type { KeyMode } from '../../lib/keys.ts'
import { Nothing } from '../../lib/schema.ts'
import { route } from '../../plugins/routes.ts'
import { listApiKeys } from './queries.ts'
import { ApiKey, ApiKeyList, ApiKeysQuery, CreateApiKey, NewApiKey, RotateApiKey, UpdateApiKey } from './schemas.ts'
import { createApiKey, deleteApiKey, rotateApiKey, updateApiKey } from './service/keys.ts'

const access = member('admin', 'organization')

export const apiKeyRoutes: FastifyPluginAsyncTypebox<{ mode: KeyMode }> = async (app, { mode }) => {
  route(app, {
    method: 'POST',
    url: '/organizations/:id/api-keys',
    config: { access, cache: 'no-store' },
    schema: {
      operationId: 'createApiKey',
      summary: 'Create an API key; the secret is in this answer and nowhere else',
      body: CreateApiKey,
      response: { 201: NewApiKey },
    },
    handler: ({ caller, params, body }) => createApiKey(caller, params.id, body, mode),
  })

  route(app, {
    method: 'GET',
    url: '/organizations/:id/api-keys',
    config: { access },
    schema: {
      operationId: 'listApiKeys',
      summary: 'The API keys of an organization, without their secrets',
      querystring: ApiKeysQuery,
      response: { 200: ApiKeyList },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listApiKeys(app.database, { organizationId: params.id }, {}, query)),
  })

  route(app, {
    method: 'PATCH',
    url: '/organizations/:id/api-keys/:keyId',
    config: { access },
    schema: {
      operationId: 'updateApiKey',
      summary: 'Change name, scopes, expiry or rate limit of an API key',
      body: UpdateApiKey,
      response: { 200: ApiKey },
    },
    handler: ({ caller, params, body, ifMatch }) =>
      updateApiKey(caller, { organizationId: params.id, id: params.keyId }, body, ifMatch),
  })

  route(app, {
    method: 'POST',
    url: '/organizations/:id/api-keys/:keyId/rotate',
    config: { access, cache: 'no-store' },
    schema: {
      operationId: 'rotateApiKey',
      summary: 'A new secret for an API key; the one before stays valid for the overlap',
      body: RotateApiKey,
      response: { 200: NewApiKey },
    },
    handler: ({ caller, params, body, ifMatch }) =>
      rotateApiKey(caller, { organizationId: params.id, id: params.keyId }, mode, ifMatch, body?.overlapSeconds),
  })

  route(app, {
    method: 'DELETE',
    url: '/organizations/:id/api-keys/:keyId',
    config: { access },
    schema: {
      operationId: 'deleteApiKey',
      summary: 'Revoke an API key',
      response: { 204: Nothing },
    },
    handler: async ({ caller, params, ifMatch }) =>
      void (await deleteApiKey(caller, { organizationId: params.id, id: params.keyId }, ifMatch)),
  })
}
