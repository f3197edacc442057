import { type SQL, sql } from 'drizzle-orm'
import { defineList } from '../../database/list.ts'
import { one, type Params, statement } from '../../database/statement.ts'
import { versionMatches } from '../../database/versions.ts'
import type { Principal } from '../../lib/access.ts'
import { files } from '../files/tables.ts'
import { isReadable } from '../posts/queries.ts'
import { posts } from '../posts/tables.ts'
import { Attachment } from './schemas.ts'
import { attachments } from './tables.ts'

type AttachmentRow = Attachment & { version: number }

const columns = sql`a.id, a.organization_id, a.file_id, a.task_id, a.post_id, a.message_id, f.name, f.type, f.size_bytes,
  a.created_by, a.version, a.created_at, a.updated_at`
const source = sql`${attachments} a join ${files} f on f.id = a.file_id`

export interface NewAttachment {
  id: string
  organizationId: string
  fileId: string
  taskId: string | null
  postId: string | null
  messageId: string | null
  createdBy: string | null
}

/**
 * Undefined when the organization has no such file, or when it is attached already. The file is locked against deletion
 * until the commit.
 */
export const insertAttachment = one(
  statement(
    'attachments.insert',
    (_, $: Params<NewAttachment>) => sql<AttachmentRow>`
      with file as (
        select * from ${files} where id = ${$.fileId} and organization_id = ${$.organizationId} for key share),
      a as (
        insert into ${attachments} (id, organization_id, file_id, task_id, post_id, message_id, created_by)
        select ${$.id}::uuid, ${$.organizationId}::uuid, file.id, ${$.taskId}::uuid, ${$.postId}::uuid,
          ${$.messageId}::uuid, ${$.createdBy}::uuid from file
        on conflict do nothing returning *)
      select ${columns} from a join file f on f.id = a.file_id`,
  ),
)

export const hasFile = one(
  statement(
    'attachments.has_file',
    (_, $: Params<{ fileId: string; organizationId: string }>) => sql<{ id: string }>`
      select id from ${files} where id = ${$.fileId} and organization_id = ${$.organizationId}`,
  ),
)

/** The condition that the attachment is not of a post that the principal may not read. */
const isOfReadable = ($: Params<Principal>) =>
  sql`(a.post_id is null or exists (select from ${posts} p where p.id = a.post_id and ${isReadable($)}))`

/** Undefined when it is missing, or of a post that the principal may not read. */
export const findAttachment = one(
  statement(
    'attachments.find',
    (_, $: Params<Principal & { id: string }>) => sql<AttachmentRow>`
      select ${columns} from ${source} where a.id = ${$.id} and ${isOfReadable($)}`,
  ),
)

export const deleteAttachmentRow = one(
  statement(
    'attachments.delete',
    (_, $: Params<{ id: string; ifMatch: number[] | null }>) => sql<AttachmentRow>`
      with a as (
        delete from ${attachments} where id = ${$.id} and ${versionMatches(attachments.version, $.ifMatch)} returning *)
      select ${columns} from a join ${files} f on f.id = a.file_id`,
  ),
)

const byId = { on: sql`a.id`, key: 'id', type: 'uuid' } as const
const shared = {
  item: Attachment,
  columns,
  from: source,
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: 'createdAt',
} as const

const listOf = (name: string, where: ($: Params<{ parentId: string }>) => SQL) =>
  defineList<Attachment, { parentId: string }>({ ...shared, name, where })

export const listTaskAttachments = listOf('attachments.of_task', $ => sql`a.task_id = ${$.parentId}`)
export const listMessageAttachments = listOf('attachments.of_message', $ => sql`a.message_id = ${$.parentId}`)

/** Undefined when the post is missing or the principal may not read it. */
export const listPostAttachments = defineList<Attachment, { postId: string }, object, Principal>({
  ...shared,
  name: 'attachments.of_post',
  where: $ => sql`a.post_id = ${$.postId}`,
  parent: $ => sql`(select from ${posts} p where p.id = ${$.postId} and ${isReadable($)}) visible`,
})
