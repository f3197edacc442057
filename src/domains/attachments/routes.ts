import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { member, principalOf } from '../../lib/access.ts'
import { orNotFound, problems } from '../../lib/errors.ts'
import { Nothing } from '../../lib/schema.ts'
import { route } from '../../plugins/routes.ts'
import { attachmentErrors } from './errors.ts'
import { findAttachment, listMessageAttachments, listPostAttachments, listTaskAttachments } from './queries.ts'
import { Attachment, AttachmentList, AttachmentsQuery, CreateAttachment } from './schemas.ts'
import { createAttachment, deleteAttachment } from './service.ts'

const created = { 201: Attachment, ...problems(attachmentErrors.already_attached) }

export const attachmentRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'POST',
    url: '/tasks/:id/attachments',
    config: { access: member('member', 'task', 'files:write') },
    schema: {
      operationId: 'createTaskAttachment',
      summary: 'Attach a file to a task',
      body: CreateAttachment,
      response: created,
    },
    handler: ({ caller, organizationId, params, body }) =>
      createAttachment(caller, { organizationId, taskId: params.id, ...body }),
  })

  route(app, {
    method: 'POST',
    url: '/posts/:id/attachments',
    config: { access: member('member', 'post', 'files:write') },
    schema: {
      operationId: 'createPostAttachment',
      summary: 'Attach a file to a post',
      body: CreateAttachment,
      response: created,
    },
    handler: ({ caller, organizationId, params, body }) =>
      createAttachment(caller, { organizationId, postId: params.id, ...body }),
  })

  route(app, {
    method: 'POST',
    url: '/messages/:id/attachments',
    config: { access: member('member', 'message', 'files:write') },
    schema: {
      operationId: 'createMessageAttachment',
      summary: 'Attach a file to a message of a room',
      body: CreateAttachment,
      response: created,
    },
    handler: ({ caller, organizationId, params, body }) =>
      createAttachment(caller, { organizationId, messageId: params.id, ...body }),
  })

  route(app, {
    method: 'GET',
    url: '/tasks/:id/attachments',
    config: { access: member('viewer', 'task', 'files:read'), mayLag: true },
    schema: {
      operationId: 'listTaskAttachments',
      summary: 'The files that are attached to a task',
      querystring: AttachmentsQuery,
      response: { 200: AttachmentList },
    },
    handler: async ({ params, query, reads }) =>
      orNotFound(await listTaskAttachments(reads, { parentId: params.id }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/posts/:id/attachments',
    config: { access: member('viewer', 'post', 'files:read', 'statement'), mayLag: true },
    schema: {
      operationId: 'listPostAttachments',
      summary: 'The files that are attached to a post',
      querystring: AttachmentsQuery,
      response: { 200: AttachmentList },
    },
    handler: async ({ actor, params, query, reads }) =>
      orNotFound(await listPostAttachments(reads, { postId: params.id }, principalOf(actor), query)),
  })

  route(app, {
    method: 'GET',
    url: '/messages/:id/attachments',
    config: { access: member('viewer', 'message', 'files:read'), mayLag: true },
    schema: {
      operationId: 'listMessageAttachments',
      summary: 'The files that are attached to a message',
      querystring: AttachmentsQuery,
      response: { 200: AttachmentList },
    },
    handler: async ({ params, query, reads }) =>
      orNotFound(await listMessageAttachments(reads, { parentId: params.id }, {}, query)),
  })

  route(app, {
    method: 'GET',
    url: '/attachments/:id',
    config: { access: member('viewer', 'attachment', 'files:read'), mayLag: true },
    schema: { operationId: 'getAttachment', summary: 'An attachment', response: { 200: Attachment } },
    handler: async ({ actor, params, reads }) =>
      orNotFound(await findAttachment(reads, { ...principalOf(actor), id: params.id })),
  })

  route(app, {
    method: 'DELETE',
    url: '/attachments/:id',
    config: { access: member('member', 'attachment', 'files:write') },
    schema: {
      operationId: 'deleteAttachment',
      summary: 'Take a file off what it is attached to; the file stays',
      response: { 204: Nothing },
    },
    handler: async ({ caller, params, ifMatch }) => void (await deleteAttachment(caller, params.id, ifMatch)),
  })
}
