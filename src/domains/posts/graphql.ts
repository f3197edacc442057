import { connection, type Graph, memberOf, reference } from '../../plugins/graphql/graph.ts'
import { listOrganizationPosts, readPosts } from './queries.ts'
import { Post } from './schemas.ts'

export const postGraph: Graph = {
  types: { Post: { item: Post, operation: 'getPost', find: readPosts } },
  fields: {
    Query: { post: reference('Post') },
    Organization: {
      posts: connection('Post', 'listPosts', listOrganizationPosts, ({ id }: { id: string }) => ({
        organizationId: id,
      })),
    },
    Post: {
      organization: reference('Organization', ({ organizationId }: Post) => organizationId),
      author: memberOf(({ authorId }: Post) => authorId),
    },
  },
  mutations: ['createPost', 'updatePost', 'publishPost', 'unpublishPost', 'archivePost', 'deletePost'],
}
