import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { member } from '../../lib/access.ts'
import { orNotFound, problems } from '../../lib/errors.ts'
import type { KeyMode } from '../../lib/keys.ts'
import { IdParams, Nothing } from '../../lib/schema.ts'
import { listApiKeys } from './queries.ts'
import {
  ApiKey,
  ApiKeyList,
  ApiKeyParams,
  ApiKeysQuery,
  CreateApiKey,
  NewApiKey,
  RotateApiKey,
  UpdateApiKey,
} from './schemas.ts'
import { createApiKey, deleteApiKey, rotateApiKey, updateApiKey } from './service/keys.ts'

const access = member('admin', 'organization')

export const apiKeyRoutes: FastifyPluginAsyncTypebox<{ mode: KeyMode }> = async (app, { mode }) => {
  app.route({
    method: 'POST',
    url: '/organizations/:id/api-keys',
    config: { access, cache: 'no-store' },
    schema: {
      operationId: 'createApiKey',
      summary: 'Create an API key; the secret is in this answer and nowhere else',
      params: IdParams,
      body: CreateApiKey,
      response: { 201: NewApiKey, ...problems(404, 422) },
    },
    async handler({ caller, params, body }, reply) {
      const key = await createApiKey(caller, params.id, body, mode)
      reply.code(201).header('location', `/api/v1/organizations/${params.id}/api-keys/${key.id}`)
      return key
    },
  })

  app.route({
    method: 'GET',
    url: '/organizations/:id/api-keys',
    config: { access },
    schema: {
      operationId: 'listApiKeys',
      summary: 'The API keys of an organization, without their secrets',
      params: IdParams,
      querystring: ApiKeysQuery,
      response: { 200: ApiKeyList, ...problems(400, 404, 422) },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listApiKeys(app.database, { organizationId: params.id }, {}, query)),
  })

  app.route({
    method: 'PATCH',
    url: '/organizations/:id/api-keys/:keyId',
    config: { access },
    schema: {
      operationId: 'updateApiKey',
      summary: 'Change name, scopes, expiry or rate limit of an API key',
      params: ApiKeyParams,
      body: UpdateApiKey,
      response: { 200: ApiKey, ...problems(404, 412, 422) },
    },
    handler: ({ caller, params, body, ifMatch }) =>
      updateApiKey(caller, { organizationId: params.id, id: params.keyId }, body, ifMatch),
  })

  app.route({
    method: 'POST',
    url: '/organizations/:id/api-keys/:keyId/rotate',
    config: { access, cache: 'no-store' },
    schema: {
      operationId: 'rotateApiKey',
      summary: 'A new secret for an API key; the one before stays valid for the overlap',
      params: ApiKeyParams,
      body: RotateApiKey,
      response: { 200: NewApiKey, ...problems(404, 412, 422) },
    },
    handler: ({ caller, params, body, ifMatch }) =>
      rotateApiKey(caller, { organizationId: params.id, id: params.keyId }, mode, ifMatch, body?.overlapSeconds),
  })

  app.route({
    method: 'DELETE',
    url: '/organizations/:id/api-keys/:keyId',
    config: { access },
    schema: {
      operationId: 'deleteApiKey',
      summary: 'Revoke an API key',
      params: ApiKeyParams,
      response: { 204: Nothing, ...problems(404, 412) },
    },
    async handler({ caller, params, ifMatch }, reply) {
      await deleteApiKey(caller, { organizationId: params.id, id: params.keyId }, ifMatch)
      reply.code(204)
      return null
    },
  })
}
