import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { anyCaller, asUser, mayModerate, member, orPlatform, principalOf } from '../../lib/access.ts'
import { orNotFound, problems } from '../../lib/errors.ts'
import { Nothing } from '../../lib/schema.ts'
import { route } from '../../plugins/routes.ts'
import { postErrors } from './errors.ts'
import { listOrganizationPosts, listUserPosts } from './queries.ts'
import {
  CreatePost,
  Post,
  PostList,
  PostQuery,
  PostsQuery,
  PublishPost,
  ReadPost,
  UpdatePost,
  UserPostsQuery,
} from './schemas.ts'
import {
  archivePost,
  type Change,
  createPost,
  deletePost,
  publishPost,
  unpublishPost,
  updatePost,
} from './service/posts.ts'
import { postReader } from './service/reading.ts'

const write = member('member', 'post', 'posts:write')
const refused = problems(postErrors.post_of_somebody_else)

type Request = Pick<FastifyRequest, 'actor' | 'membership' | 'ifMatch'> & { params: { id: string } }

/** An API key acts for the organization, so it may change the posts of all authors. */
const changeOf = ({ actor, membership, ifMatch, params }: Request): Change => ({
  id: params.id,
  ofOthers: actor?.type === 'api_key' || mayModerate(asUser(actor), membership),
  ifMatch,
})

export const postRoutes: FastifyPluginAsyncTypebox = async app => {
  const posts = postReader(app)

  route(app, {
    method: 'POST',
    url: '/organizations/:id/posts',
    config: { access: member('member', 'organization', 'posts:write') },
    schema: {
      operationId: 'createPost',
      summary: 'Write a draft of a post',
      body: CreatePost,
      response: { 201: Post, ...problems(postErrors.post_slug_taken) },
    },
    handler: ({ caller, params, body }) => createPost(caller, params.id, body),
  })

  route(app, {
    method: 'GET',
    url: '/organizations/:id/posts',
    config: { access: member('viewer', 'organization', 'posts:read', 'statement'), mayLag: true },
    schema: {
      operationId: 'listPosts',
      summary: 'The posts of an organization; for a viewer those that are published',
      querystring: PostsQuery,
      response: { 200: PostList },
    },
    handler: async ({ actor, params, query, reads }) =>
      orNotFound(await listOrganizationPosts(reads, { organizationId: params.id }, principalOf(actor), query)),
  })

  route(app, {
    method: 'GET',
    url: '/users/:id/posts',
    config: { access: anyCaller('posts:read') },
    schema: {
      operationId: 'listUserPosts',
      summary: 'The posts of a user that the caller may read',
      querystring: UserPostsQuery,
      response: { 200: PostList },
    },
    handler: async ({ actor, params, query }) =>
      orNotFound(await listUserPosts(app.database, { authorId: params.id }, principalOf(actor), query)),
  })

  route(app, {
    method: 'GET',
    url: '/posts/:id',
    config: posts.config,
    schema: {
      operationId: 'getPost',
      summary: 'A post; a viewer finds it only while it is published',
      querystring: PostQuery,
      response: { 200: ReadPost },
    },
    async handler(request) {
      const post = orNotFound(await posts.read(request, request.params.id))
      return request.query.format === 'html' ? { ...post, ...(await posts.rendered(post)) } : post
    },
  })

  route(app, {
    method: 'PATCH',
    url: '/posts/:id',
    config: { access: write },
    schema: {
      operationId: 'updatePost',
      summary: 'Change a post, as its author, as an admin or with an API key',
      body: UpdatePost,
      response: { 200: Post, ...refused, ...problems(postErrors.post_slug_taken) },
    },
    handler: request => updatePost(request.caller, changeOf(request), request.body),
  })

  route(app, {
    method: 'DELETE',
    url: '/posts/:id',
    config: { access: orPlatform('moderator', write) },
    schema: {
      operationId: 'deletePost',
      summary: 'Delete a post with its comments; a moderator of the platform may too',
      response: { 204: Nothing, ...refused },
    },
    handler: async request => void (await deletePost(request.caller, changeOf(request))),
  })

  route(app, {
    method: 'POST',
    url: '/posts/:id/publish',
    config: { access: write, affects: ['jobs.job'] },
    schema: {
      operationId: 'publishPost',
      summary: 'Publish a post, now or at a time to come',
      body: PublishPost,
      response: { 200: Post, ...refused },
    },
    handler: request => publishPost(app, request.caller, changeOf(request), request.body?.publishAt ?? null),
  })

  route(app, {
    method: 'POST',
    url: '/posts/:id/unpublish',
    config: { access: write },
    schema: {
      operationId: 'unpublishPost',
      summary: 'Make a post a draft again; a time to publish it is forgotten',
      response: { 200: Post, ...refused },
    },
    handler: request => unpublishPost(request.caller, changeOf(request)),
  })

  route(app, {
    method: 'POST',
    url: '/posts/:id/archive',
    config: { access: write },
    schema: {
      operationId: 'archivePost',
      summary: 'Put a post away: viewers no longer find it',
      response: { 200: Post, ...refused },
    },
    handler: request => archivePost(request.caller, changeOf(request)),
  })
}
