import { sql } from 'drizzle-orm'
import { one, type Params, statement } from '../../database/statement.ts'
import { versionMatches } from '../../database/versions.ts'
import { members } from '../organizations/tables.ts'
import type { Avatar, AvatarSize } from './schemas.ts'
import { avatarImages, avatars } from './tables.ts'

type AvatarRow = Avatar & { version: number }
const columns = sql.raw('user_id, status, version, created_at, updated_at')

export const findAvatar = one(
  statement(
    'avatars.find',
    (_, $: Params<{ userId: string }>) => sql<AvatarRow>`
      select ${columns} from ${avatars} where user_id = ${$.userId}`,
  ),
)

/** Replaces what was uploaded before; the images stay until there are new ones. */
export const upsertAvatar = one(
  statement(
    'avatars.upsert',
    (_, $: Params<{ userId: string; originalKey: string }>) => sql<AvatarRow>`
      insert into ${avatars} as a (user_id, original_key, status) values (${$.userId}, ${$.originalKey}, 'processing')
      on conflict (user_id) do update set original_key = excluded.original_key, status = excluded.status,
        version = a.version + 1, updated_at = now()
      returning ${columns}`,
  ),
)

/** Settles an upload, unless another one has taken its place. */
export const settleAvatar = one(
  statement(
    'avatars.settle',
    (_, $: Params<{ userId: string; originalKey: string; status: 'ready' | 'failed' }>) => sql<AvatarRow>`
      update ${avatars} set status = ${$.status}, original_key = null, version = version + 1, updated_at = now()
      where user_id = ${$.userId} and original_key = ${$.originalKey} returning ${columns}`,
  ),
)

/** Whether an upload still waits for its images. */
export const isAwaited = one(
  statement(
    'avatars.awaited',
    (_, $: Params<{ userId: string; originalKey: string }>) => sql<{ userId: string }>`
      select user_id from ${avatars} where user_id = ${$.userId} and original_key = ${$.originalKey}`,
  ),
)

export const deleteAvatarRow = one(
  statement(
    'avatars.delete',
    (_, $: Params<{ userId: string; ifMatch: number[] | null }>) => sql<AvatarRow>`
      delete from ${avatars} where user_id = ${$.userId} and ${versionMatches(avatars.version, $.ifMatch)}
      returning ${columns}`,
  ),
)

export interface Image {
  key: string
  size: AvatarSize
  pixels: number
  sizeBytes: number
  sha256: string
}

export const deleteImages = statement(
  'avatar_images.delete',
  (_, $: Params<{ userId: string }>) => sql`delete from ${avatarImages} where user_id = ${$.userId}`,
)

/** `images` is a JSON array of `Image`. */
export const insertImages = statement(
  'avatar_images.insert',
  (_, $: Params<{ userId: string; images: string }>) => sql`
    insert into ${avatarImages} (key, user_id, size, pixels, size_bytes, sha256)
    select i.key, ${$.userId}::uuid, i.size, i.pixels, i."sizeBytes", i.sha256
    from jsonb_to_recordset(${$.images}::jsonb) as i(key uuid, size text, pixels int, "sizeBytes" bigint, sha256 text)`,
)

interface Asked {
  userId: string
  size: string
  callerId: string
  /** Whether the caller may see every user. */
  seesAll: boolean
}

/** Undefined when there is none, or when the caller shares no organization with the user. */
export const findImage = one(
  statement(
    'avatar_images.find',
    (_, $: Params<Asked>) => sql<Image>`
      select i.key, i.size, i.pixels, i.size_bytes, i.sha256 from ${avatarImages} i
      where i.user_id = ${$.userId}::uuid and i.size = ${$.size}
        and (${$.seesAll}::boolean or i.user_id = ${$.callerId}::uuid or exists (
          select from ${members} mine join ${members} theirs on theirs.organization_id = mine.organization_id
          where mine.user_id = ${$.callerId}::uuid and theirs.user_id = i.user_id))`,
  ),
)

/** Returns those of `ids` that are keys of originals or images. */
export const findStoredKeys = statement(
  'avatars.stored',
  (_, $: Params<{ ids: string[] }>) => sql<{ id: string }>`
    select coalesce(original_key, user_id) as id from ${avatars} where original_key = any(${$.ids}::uuid[])
    union all select key from ${avatarImages} where key = any(${$.ids}::uuid[])`,
)
