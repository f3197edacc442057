import { type Static, Type } from '@sinclair/typebox'
import { Closed, Id, List, ListQuery, Nullable, Timestamp } from '../../lib/schema.ts'
import { File } from '../files/schemas.ts'

const place = (what: string) =>
  Nullable(Id, { description: `The ${what} that it is attached to; null where it is something else.` })

export const Attachment = Type.Object(
  {
    id: Id,
    organizationId: Id,
    fileId: { ...Id, description: 'The file: `GET /files/{id}/content` has its bytes.' },
    taskId: place('task'),
    postId: place('post'),
    messageId: place('message'),
    ...Type.Pick(File, ['name', 'type', 'sizeBytes']).properties,
    createdBy: Nullable(Id, { description: 'The user who attached it; null where an API key did.' }),
    createdAt: Timestamp,
    updatedAt: Timestamp,
  },
  { title: 'Attachment', description: 'That a file belongs to a task, a post or a message.' },
)
export type Attachment = Static<typeof Attachment>

export const CreateAttachment = Closed(
  { fileId: { ...Id, description: 'A file of the same organization.' } },
  { title: 'CreateAttachment', examples: [{ fileId: '01990000-0000-7000-8000-000000000070' }] },
)
export const AttachmentList = List(Attachment)
export const AttachmentsQuery = ListQuery({}, ['createdAt'])
