import { type Static, Type } from '@sinclair/typebox'
import { Closed, Id, List, ListQuery, Nullable, Text, Timestamp } from '../../lib/schema.ts'

const Body = Text(1, 10_000, { description: 'What is said.', examples: ['Looks good to me.'] })

export const Comment = Type.Object(
  {
    id: Id,
    organizationId: Id,
    taskId: Nullable(Id, { description: 'The task that it is about; null where it is about a post.' }),
    postId: Nullable(Id, { description: 'The post that it is about; null where it is about a task.' }),
    authorId: Nullable(Id, { description: 'The user who wrote it; null where an API key did.' }),
    body: Body,
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Comment', description: 'What somebody says about a task or a post.' },
)
export type Comment = Static<typeof Comment>

export const CreateComment = Closed(
  { body: Body },
  { title: 'CreateComment', examples: [{ body: 'Looks good to me.' }] },
)
export const UpdateComment = Closed(
  { body: Body },
  { title: 'UpdateComment', examples: [{ body: 'Looks very good.' }] },
)
export const CommentList = List(Comment)
export const CommentsQuery = ListQuery({}, ['createdAt'])
