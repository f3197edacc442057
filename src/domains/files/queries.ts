import { and, eq, type SQL, sql } from 'drizzle-orm'
import { defineList } from '../../database/list.ts'
import { one, type Params, statement } from '../../database/statement.ts'
import { versionMatches } from '../../database/versions.ts'
import { File } from './schemas.ts'
import { files, fileUsage } from './tables.ts'

type FileRow = File & { version: number }
export type NewFile = Omit<File, 'createdAt' | 'updatedAt'>

/** Takes room from the quota; returns nothing when there is less. */
export const takesRoom = ($: Params<Pick<File, 'organizationId' | 'sizeBytes'> & { quota: number }>): SQL => sql`
  insert into ${fileUsage} as u (organization_id, bytes)
  select ${$.organizationId}::uuid, ${$.sizeBytes}::bigint where ${$.sizeBytes}::bigint <= ${$.quota}::bigint
  on conflict (organization_id) do update set bytes = u.bytes + excluded.bytes
  where u.bytes + excluded.bytes <= ${$.quota}::bigint
  returning organization_id`

/** Takes the room and inserts the file; undefined when the quota has less room. */
export const insertFile = one(
  statement(
    'files.insert',
    (_, $: Params<NewFile & { quota: number }>) => sql<FileRow>`
      with room as (${takesRoom($)})
      insert into ${files} (id, organization_id, name, type, size_bytes, sha256, created_by)
      select ${$.id}::uuid, organization_id, ${$.name}, ${$.type}, ${$.sizeBytes}::bigint, ${$.sha256}, ${$.createdBy}::uuid
      from room returning *`,
  ),
)

/** Inserts a file whose room is already taken. */
export const insertStored = one(
  statement(
    'files.insert_stored',
    (_, $: Params<NewFile>) => sql<FileRow>`
      insert into ${files} (id, organization_id, name, type, size_bytes, sha256, created_by)
      values (${$.id}, ${$.organizationId}, ${$.name}, ${$.type}, ${$.sizeBytes}, ${$.sha256}, ${$.createdBy}) returning *`,
  ),
)

export const findFile = one(
  statement('files.find', (db, $: Params<{ id: string }>) => db.select().from(files).where(eq(files.id, $.id))),
)

export const deleteFileRow = one(
  statement('files.delete', (db, $: Params<{ id: string; ifMatch: number[] | null }>) =>
    db
      .delete(files)
      .where(and(eq(files.id, $.id), versionMatches(files.version, $.ifMatch)))
      .returning(),
  ),
)

export const freeRoom = statement(
  'files.free_room',
  (_, $: Params<Pick<File, 'organizationId' | 'sizeBytes'>>) => sql`
    update ${fileUsage} set bytes = bytes - ${$.sizeBytes}::bigint where organization_id = ${$.organizationId}`,
)

/** Returns those of `ids` that have a row. */
export const findKept = statement(
  'files.kept',
  (_, $: Params<{ ids: string[] }>) => sql<{ id: string }>`select id from ${files} where id = any(${$.ids}::uuid[])`,
)

const byId = { on: files.id, key: 'id', type: 'uuid' } as const

export const listFiles = defineList<File, { organizationId: string }>({
  name: 'files.list',
  item: File,
  columns: sql`id, organization_id, name, type, size_bytes, sha256, created_by, version, created_at, updated_at`,
  from: sql`${files}`,
  where: $ => sql`${files.organizationId} = ${$.organizationId}`,
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
})
