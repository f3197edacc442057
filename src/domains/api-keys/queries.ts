import { and, eq, sql } from 'drizzle-orm'
import { defineList } from '../../database/list.ts'
import { one, type Params, statement, statements } from '../../database/statement.ts'
import { ApiKey } from './schemas.ts'
import { apiKeys } from './tables.ts'

type ApiKeyRow = ApiKey & { version: number }

/** The columns that responses may contain; never a hash. */
const columns = sql`id, organization_id, name, hint, scopes, expires_at, previous_expires_at, rate_limit,
  last_used_at, created_by, version, created_at, updated_at`

interface NewKey {
  id: string
  organizationId: string
  name: string
  hash: Buffer
  hint: string
  scopes: string[]
  expiresAt: string | null
  rateLimit: number | null
  createdBy: string | null
}

export const insertApiKey = one(
  statement(
    'api_keys.insert',
    (_, $: Params<NewKey>) => sql<ApiKeyRow>`
      insert into ${apiKeys} (id, organization_id, name, hash, hint, scopes, expires_at, rate_limit, created_by)
      values (${$.id}, ${$.organizationId}, ${$.name}, ${$.hash}, ${$.hint}, ${$.scopes}, ${$.expiresAt}, ${$.rateLimit},
        ${$.createdBy})
      returning ${columns}`,
  ),
)

interface LiveKey {
  id: string
  organizationId: string
  scopes: string[]
  rateLimit: number | null
  /** The hash of the secret that was looked up; that may be the secret before the last rotation. */
  hash: Buffer
}

const live = sql`(expires_at is null or expires_at > now())`

/**
 * Finds the keys of many callers by hash in one indexed look-up. It uses two branches, because `or` would not tell
 * which hash matched.
 */
export const findLiveKeys = statement(
  'api_keys.live',
  (_, $: Params<{ hashes: Buffer[] }>) => sql<LiveKey>`
    select id, organization_id, scopes, rate_limit, hash from ${apiKeys}
    where hash = any(${$.hashes}::bytea[]) and ${live}
    union all
    select id, organization_id, scopes, rate_limit, previous_hash from ${apiKeys}
    where previous_hash = any(${$.hashes}::bytea[]) and previous_expires_at > now() and ${live}`,
)

/**
 * Sets `last_used_at`, at most once a minute for each key, on any number of nodes. It does not change the version and
 * skips rows that are locked.
 */
export const markUsed = statement(
  'api_keys.used',
  (_, $: Params<{ ids: string[] }>) => sql`
    update ${apiKeys} set last_used_at = now() where id in (
      select id from ${apiKeys}
      where id = any(${$.ids}::uuid[]) and (last_used_at is null or last_used_at <= now() - interval '1 minute')
      for update skip locked)`,
)

type Key = { organizationId: string; id: string }

const present = ($: Params<Key>) => and(eq(apiKeys.id, $.id), eq(apiKeys.organizationId, $.organizationId))

/** Locks the key until the commit. */
export const lockApiKey = one(
  statement(
    'api_keys.lock',
    (_, $: Params<Key>) => sql<{ version: number }>`
      select version from ${apiKeys} where ${present($)} for no key update`,
  ),
)

type Change = Pick<NewKey, 'name' | 'scopes' | 'expiresAt' | 'rateLimit'>

/** `changed` names the columns to set, so that null can be written. */
export const updateApiKeyRow = statements(
  'api_keys.update',
  (_, $: Params<Key & Change>, changed: readonly string[]) => {
    const set = {
      name: sql`name = ${$.name}`,
      scopes: sql`scopes = ${$.scopes}`,
      expiresAt: sql`expires_at = ${$.expiresAt}`,
      rateLimit: sql`rate_limit = ${$.rateLimit}`,
    }
    const changes = changed.map(column => set[column as keyof typeof set])
    return sql<ApiKeyRow>`
      update ${apiKeys} set ${sql.join(changes, sql`, `)}, version = version + 1, updated_at = now()
      where ${present($)} returning ${columns}`
  },
)

type Rotation = Key & Pick<NewKey, 'hash' | 'hint'> & { overlapSeconds: number }

/** Replaces the secret. The current one becomes the previous one; an older previous one is lost. */
export const rotateApiKeyRow = one(
  statement(
    'api_keys.rotate',
    (_, $: Params<Rotation>) => sql<ApiKeyRow>`
      update ${apiKeys} set previous_hash = hash, previous_expires_at = now() + make_interval(secs => ${$.overlapSeconds}),
        hash = ${$.hash}, hint = ${$.hint}, version = version + 1, updated_at = now()
      where ${present($)} returning ${columns}`,
  ),
)

export const deleteApiKeyRow = one(
  statement(
    'api_keys.delete',
    (_, $: Params<Key>) => sql<ApiKeyRow>`delete from ${apiKeys} where ${present($)} returning ${columns}`,
  ),
)

const byId = { on: apiKeys.id, key: 'id', type: 'uuid' } as const

export const listApiKeys = defineList<ApiKey, { organizationId: string }>({
  name: 'api_keys.list',
  item: ApiKey,
  columns,
  from: sql`${apiKeys}`,
  where: $ => eq(apiKeys.organizationId, $.organizationId),
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
})
