import { eq, sql } from 'drizzle-orm'
import { BATCH_ROWS } from '../../database/batches.ts'
import { defineList } from '../../database/list.ts'
import { one, type Params, statement } from '../../database/statement.ts'
import { touched } from '../../database/versions.ts'
import { takesRoom } from '../files/queries.ts'
import { Upload } from './schemas.ts'
import { uploads } from './tables.ts'

type UploadRow = Upload & { version: number }
type NewRow = Pick<Upload, 'id' | 'organizationId' | 'name' | 'sizeBytes' | 'sha256' | 'createdBy' | 'expiresAt'>

/** Takes the room and inserts the upload; undefined when the quota has less room. */
export const insertUpload = one(
  statement(
    'uploads.insert',
    (_, $: Params<NewRow & { quota: number }>) => sql<UploadRow>`
      with room as (${takesRoom($)})
      insert into ${uploads} (id, organization_id, name, size_bytes, sha256, created_by, expires_at)
      select ${$.id}::uuid, organization_id, ${$.name}, ${$.sizeBytes}::bigint, ${$.sha256}, ${$.createdBy}::uuid,
        ${$.expiresAt}::timestamptz
      from room returning *`,
  ),
)

export const findUpload = one(
  statement('uploads.find', (db, $: Params<{ id: string }>) => db.select().from(uploads).where(eq(uploads.id, $.id))),
)

/** Locks the row until the transaction ends. */
export const lockUpload = one(
  statement('uploads.lock', (db, $: Params<{ id: string }>) =>
    db.select().from(uploads).where(eq(uploads.id, $.id)).for('update'),
  ),
)

export const completeUploadRow = statement('uploads.complete', (db, $: Params<{ id: string }>) =>
  db
    .update(uploads)
    .set({ status: 'completed', ...touched(uploads) })
    .where(eq(uploads.id, $.id)),
)

export const deleteUploadRow = statement('uploads.delete', (db, $: Params<{ id: string }>) =>
  db.delete(uploads).where(eq(uploads.id, $.id)),
)

export const findExpired = statement(
  'uploads.expired',
  () => sql<{ id: string }>`
    select id from ${uploads} where expires_at < now() order by expires_at limit ${sql.raw(String(BATCH_ROWS))}`,
)

/** Returns those of `ids` that have a row. */
export const findAnnounced = statement(
  'uploads.announced',
  (_, $: Params<{ ids: string[] }>) => sql<{ id: string }>`
    select id from ${uploads} where id = any(${$.ids}::uuid[])`,
)

const byId = { on: uploads.id, key: 'id', type: 'uuid' } as const

export const listUploads = defineList<Upload, { organizationId: string }>({
  name: 'uploads.list',
  item: Upload,
  columns: sql`id, organization_id, name, size_bytes, sha256, status, created_by, expires_at, version, created_at, updated_at`,
  from: sql`${uploads}`,
  where: $ => sql`${uploads.organizationId} = ${$.organizationId}`,
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
})
