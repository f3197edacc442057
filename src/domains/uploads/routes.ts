import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { member } from '../../lib/access.ts'
import { orNotFound, problems } from '../../lib/errors.ts'
import { Nothing } from '../../lib/schema.ts'
import { storageErrors } from '../../lib/storage-errors.ts'
import { route } from '../../plugins/routes.ts'
import { File } from '../files/schemas.ts'
import { uploadErrors } from './errors.ts'
import { findUpload, listUploads } from './queries.ts'
import { CreateUpload, NewUpload, Upload, UploadList, UploadsQuery } from './schemas.ts'
import { type Arrived, completeUpload, createUpload, deleteUpload, findArrived } from './service/uploads.ts'

declare module 'fastify' {
  interface FastifyRequest {
    arrived: Arrived
  }
}

interface Limits {
  directMaxBytes: number
  quotaBytes: number
}

export const uploadRoutes: FastifyPluginAsyncTypebox<{ files: Limits }> = async (app, { files: limits }) => {
  app.decorateRequest('arrived', null)

  route(app, {
    method: 'POST',
    url: '/organizations/:id/uploads',
    config: { access: member('member', 'organization', 'files:write'), affects: ['file_usage'] },
    schema: {
      operationId: 'createUpload',
      summary: 'Announce a file whose bytes are sent to the storage directly; takes its room',
      description: 'Send the bytes by `PUT` to `url`, with `headers`, then complete the upload.',
      body: CreateUpload,
      response: { 201: NewUpload, ...problems(storageErrors.file_too_large, storageErrors.storage_quota_exceeded) },
    },
    handler: ({ caller, organizationId, body }) => createUpload(app, caller, organizationId, body, limits),
  })

  route(app, {
    method: 'GET',
    url: '/organizations/:id/uploads',
    config: { access: member('viewer', 'organization', 'files:read') },
    schema: {
      operationId: 'listUploads',
      summary: 'The uploads of an organization, until they expire',
      querystring: UploadsQuery,
      response: { 200: UploadList },
    },
    handler: async ({ params, query }) =>
      orNotFound(await listUploads(app.database, { organizationId: params.id }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/uploads/:id',
    config: { access: member('viewer', 'upload', 'files:read') },
    schema: { operationId: 'getUpload', summary: 'An upload', response: { 200: Upload } },
    handler: async ({ params }) => orNotFound(await findUpload(app.database, { id: params.id })),
  })

  route(app, {
    method: 'POST',
    url: '/uploads/:id/complete',
    config: {
      access: member('member', 'upload', 'files:write'),
      affects: ['files', 'uploads'],
      records: ['file.created'],
    },
    schema: {
      operationId: 'completeUpload',
      summary: 'Make a file of the bytes that have arrived; repeated, it answers with the same file',
      response: {
        200: File,
        ...problems(
          412,
          uploadErrors.upload_incomplete,
          storageErrors.upload_differs,
          storageErrors.storage_unavailable,
        ),
      },
    },
    // Here, because the handler may run in a transaction, which must not wait for the store.
    async preHandler(request: FastifyRequest) {
      request.arrived = await findArrived(app, (request.params as { id: string }).id)
    },
    handler: ({ caller, params, arrived, ifMatch }) => completeUpload(caller, params.id, arrived, ifMatch),
  })

  route(app, {
    method: 'DELETE',
    url: '/uploads/:id',
    config: { access: member('member', 'upload', 'files:write'), affects: ['file_usage'] },
    schema: {
      operationId: 'deleteUpload',
      summary: 'Give up an upload; its room is free at once',
      response: { 204: Nothing, ...problems(uploadErrors.upload_completed) },
    },
    handler: async ({ caller, params, ifMatch }) => void (await deleteUpload(caller, params.id, ifMatch)),
  })
}
