import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, mayModerate, member, orPlatform, principalOf } from '../../lib/access.ts'
import { orNotFound, problems } from '../../lib/errors.ts'
import { Nothing } from '../../lib/schema.ts'
import { route } from '../../plugins/routes.ts'
import { commentErrors } from './errors.ts'
import { findComment, listPostComments, listTaskComments } from './queries.ts'
import { Comment, CommentList, CommentsQuery, CreateComment, UpdateComment } from './schemas.ts'
import { createComment, deleteComment, updateComment } from './service.ts'

/** No scope: only its author may change a comment, and a comment by an API key has no author. */
const write = member('member', 'comment')

export const commentRoutes: FastifyPluginAsyncTypebox = async app => {
  route(app, {
    method: 'POST',
    url: '/tasks/:id/comments',
    config: { access: member('member', 'task', 'comments:write') },
    schema: {
      operationId: 'createTaskComment',
      summary: 'Comment on a task',
      body: CreateComment,
      response: { 201: Comment },
    },
    handler: ({ caller, organizationId, params, body }) =>
      createComment(caller, { organizationId, taskId: params.id, ...body }),
  })

  route(app, {
    method: 'POST',
    url: '/posts/:id/comments',
    config: { access: member('member', 'post', 'comments:write') },
    schema: {
      operationId: 'createPostComment',
      summary: 'Comment on a post',
      body: CreateComment,
      response: { 201: Comment },
    },
    handler: ({ caller, organizationId, params, body }) =>
      createComment(caller, { organizationId, postId: params.id, ...body }),
  })

  route(app, {
    method: 'GET',
    url: '/tasks/:id/comments',
    config: { access: member('viewer', 'task', 'comments:read', 'statement'), mayLag: true },
    schema: {
      operationId: 'listTaskComments',
      summary: 'The comments on a task, oldest first',
      querystring: CommentsQuery,
      response: { 200: CommentList },
    },
    handler: async ({ actor, params, query, reads }) =>
      orNotFound(await listTaskComments(reads, { taskId: params.id }, principalOf(actor), query)),
  })

  route(app, {
    method: 'GET',
    url: '/posts/:id/comments',
    config: { access: member('viewer', 'post', 'comments:read', 'statement'), mayLag: true },
    schema: {
      operationId: 'listPostComments',
      summary: 'The comments on a post, oldest first',
      querystring: CommentsQuery,
      response: { 200: CommentList },
    },
    handler: async ({ actor, params, query, reads }) =>
      orNotFound(await listPostComments(reads, { postId: params.id }, principalOf(actor), query)),
  })

  route(app, {
    method: 'GET',
    url: '/comments/:id',
    config: { access: member('viewer', 'comment', 'comments:read'), mayLag: true },
    schema: {
      operationId: 'getComment',
      summary: 'A comment',
      response: { 200: Comment },
    },
    handler: async ({ actor, params, reads }) =>
      orNotFound(await findComment(reads, { ...principalOf(actor), id: params.id })),
  })

  route(app, {
    method: 'PATCH',
    url: '/comments/:id',
    config: { access: write },
    schema: {
      operationId: 'updateComment',
      summary: 'Edit a comment of one’s own',
      body: UpdateComment,
      response: { 200: Comment, ...problems(commentErrors.not_the_author) },
    },
    handler: ({ caller, params, body, ifMatch }) => updateComment(caller, params.id, body.body, ifMatch),
  })

  route(app, {
    method: 'DELETE',
    url: '/comments/:id',
    config: { access: orPlatform('moderator', write) },
    schema: {
      operationId: 'deleteComment',
      summary: 'Delete a comment, as its author, as an admin, or as a moderator of the platform',
      response: { 204: Nothing, ...problems(commentErrors.not_the_author) },
    },
    handler: async ({ caller, actor, membership, params, ifMatch }) =>
      void (await deleteComment(caller, params.id, mayModerate(asUser(actor), membership), ifMatch)),
  })
}
