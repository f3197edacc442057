import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { asUser, mayModerate, member, orPlatform, principalOf } from '../../lib/access.ts'
import { orNotFound, problems } from '../../lib/errors.ts'
import { IdParams, Nothing } from '../../lib/schema.ts'
import { findComment, listTaskComments } from './queries.ts'
import { Comment, CommentList, CommentsQuery, CreateComment, UpdateComment } from './schemas.ts'
import { createComment, deleteComment, updateComment } from './service.ts'

/** No scope: a comment belongs to a user, and what a key wrote belongs to nobody. */
const write = member('member', 'comment')

export const commentRoutes: FastifyPluginAsyncTypebox = async app => {
  app.route({
    method: 'POST',
    url: '/tasks/:id/comments',
    config: { access: member('member', 'task', 'comments:write') },
    schema: {
      operationId: 'createTaskComment',
      summary: 'Comment on a task',
      params: IdParams,
      body: CreateComment,
      response: { 201: Comment, ...problems(404, 422) },
    },
    async handler({ caller, organizationId, params, body }, reply) {
      const comment = await createComment(caller, organizationId, params.id, body.body)
      reply.code(201).header('location', `/api/v1/comments/${comment.id}`)
      return comment
    },
  })

  app.route({
    method: 'GET',
    url: '/tasks/:id/comments',
    config: { access: member('viewer', 'task', 'comments:read', 'statement') },
    schema: {
      operationId: 'listTaskComments',
      summary: 'The comments on a task, oldest first',
      params: IdParams,
      querystring: CommentsQuery,
      response: { 200: CommentList, ...problems(400, 404, 422) },
    },
    handler: async ({ actor, params, query }) =>
      orNotFound(await listTaskComments(app.database, { taskId: params.id }, principalOf(actor), query)),
  })

  app.route({
    method: 'GET',
    url: '/comments/:id',
    config: { access: member('viewer', 'comment', 'comments:read') },
    schema: {
      operationId: 'getComment',
      summary: 'A comment',
      params: IdParams,
      response: { 200: Comment, ...problems(404) },
    },
    handler: async ({ params }) => orNotFound(await findComment(app.database, { id: params.id })),
  })

  app.route({
    method: 'PATCH',
    url: '/comments/:id',
    config: { access: write },
    schema: {
      operationId: 'updateComment',
      summary: 'Edit a comment of one’s own',
      params: IdParams,
      body: UpdateComment,
      response: { 200: Comment, ...problems(404, 412, 422) },
    },
    handler: ({ caller, params, body, ifMatch }) => updateComment(caller, params.id, body.body, ifMatch),
  })

  app.route({
    method: 'DELETE',
    url: '/comments/:id',
    config: { access: orPlatform('moderator', write) },
    schema: {
      operationId: 'deleteComment',
      summary: 'Delete a comment, as its author, as an admin, or as a moderator of the platform',
      params: IdParams,
      response: { 204: Nothing, ...problems(404, 412) },
    },
    async handler({ caller, actor, membership, params, ifMatch }, reply) {
      await deleteComment(caller, params.id, mayModerate(asUser(actor), membership), ifMatch)
      reply.code(204)
      return null
    },
  })
}
