import multipart from '@fastify/multipart'
import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { member } from '../../lib/access.ts'
import { orNotFound, problems } from '../../lib/errors.ts'
import { bytes, MULTIPART, Nothing } from '../../lib/schema.ts'
import { storageErrors } from '../../lib/storage-errors.ts'
import { route } from '../../plugins/routes.ts'
import { findFile, listFiles } from './queries.ts'
import { File, FileList, FilesQuery, SignedUrl, UploadFile } from './schemas.ts'
import { contentOf, signDownload } from './service/downloads.ts'
import { createFile, deleteFile } from './service/files.ts'

interface Limits {
  maxBytes: number
  quotaBytes: number
}

/** A plugin of its own: only this route reads multipart. */
export const uploadRoutes: FastifyPluginAsyncTypebox<{ files: Limits }> = async (
  app,
  { files: { maxBytes, quotaBytes } },
) => {
  await app.register(multipart, { throwFileSizeLimit: false })
  route(app, {
    method: 'POST',
    url: '/organizations/:id/files',
    // The quota is that of the organization, so its uploads take turns.
    config: { access: member('member', 'organization', 'files:write'), affects: ['file_usage'], changes: 'id' },
    schema: {
      operationId: 'uploadFile',
      summary: 'Upload a file',
      consumes: [MULTIPART],
      body: UploadFile,
      response: { 201: File, ...problems(413, storageErrors.file_too_large, storageErrors.storage_quota_exceeded) },
    },
    ...app.uploadHooks(maxBytes, storageErrors.file_too_large),
    handler: ({ caller, organizationId, upload }) => createFile(caller, organizationId, upload, quotaBytes),
  })
}

export const fileRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'GET',
    url: '/organizations/:id/files',
    config: { access: member('viewer', 'organization', 'files:read'), mayLag: true },
    schema: {
      operationId: 'listFiles',
      summary: 'The files of an organization',
      querystring: FilesQuery,
      response: { 200: FileList },
    },
    handler: async ({ params, query, reads }) =>
      orNotFound(await listFiles(reads, { organizationId: params.id }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/files/:id',
    config: { access: member('viewer', 'file', 'files:read'), mayLag: true },
    schema: { operationId: 'getFile', summary: 'What is known about a file', response: { 200: File } },
    handler: async ({ params, reads }) => orNotFound(await findFile(reads, { id: params.id })),
  })

  route(app, {
    method: 'GET',
    url: '/files/:id/content',
    config: { access: member('viewer', 'file', 'files:read') },
    schema: {
      operationId: 'downloadFile',
      summary: 'The bytes of a file, or a range of them',
      response: { ...bytes('The bytes.'), ...problems(...app.downloads.problems) },
    },
    handler: async (request, reply) =>
      app.downloads.send(
        request,
        reply,
        contentOf(orNotFound(await findFile(app.database, { id: request.params.id }))),
      ),
  })

  route(app, {
    method: 'POST',
    url: '/files/:id/url',
    config: {
      access: member('viewer', 'file', 'files:read'),
      cache: 'no-store',
      changes: null,
      records: ['file.url_signed'],
    },
    schema: {
      operationId: 'signFileUrl',
      summary: 'A URL by which anybody downloads the file for ten minutes',
      response: { 200: SignedUrl, ...problems(412) },
    },
    handler: ({ caller, params, ifMatch }) => signDownload(app, caller, params.id, ifMatch),
  })

  route(app, {
    method: 'DELETE',
    url: '/files/:id',
    config: { access: member('member', 'file', 'files:write'), affects: ['file_usage', 'jobs.job'] },
    schema: { operationId: 'deleteFile', summary: 'Delete a file', response: { 204: Nothing } },
    handler: async ({ caller, params, ifMatch }) => void (await deleteFile(app, caller, params.id, ifMatch)),
  })
}
