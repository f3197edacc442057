import { connection, type Graph, memberOf, reference } from '../../plugins/graphql/graph.ts'
import { listPostComments, listTaskComments, readComments } from './queries.ts'
import { Comment } from './schemas.ts'

type Parent = { id: string }

export const commentGraph: Graph = {
  types: { Comment: { item: Comment, operation: 'getComment', find: readComments } },
  fields: {
    Query: { comment: reference('Comment') },
    Task: {
      comments: connection('Comment', 'listTaskComments', listTaskComments, ({ id }: Parent) => ({ taskId: id })),
    },
    Post: {
      comments: connection('Comment', 'listPostComments', listPostComments, ({ id }: Parent) => ({ postId: id })),
    },
    Comment: {
      organization: reference('Organization', ({ organizationId }: Comment) => organizationId),
      task: reference('Task', ({ taskId }: Comment) => taskId),
      post: reference('Post', ({ postId }: Comment) => postId),
      author: memberOf(({ authorId }: Comment) => authorId),
    },
  },
  mutations: ['createTaskComment', 'createPostComment', 'updateComment', 'deleteComment'],
}
