import { and, eq, sql } from 'drizzle-orm'
import { defineList } from '../../database/list.ts'
import { one, type Params, statement, statements } from '../../database/statement.ts'
import { versionMatches } from '../../database/versions.ts'
import type { ApiKey } from './schemas.ts'
import { apiKeys } from './tables.ts'

type ApiKeyRow = ApiKey & { version: number }

/** What may travel: never the hash. */
const columns = sql`id, organization_id, name, hint, scopes, expires_at, created_by, version, created_at, updated_at`

interface NewKey {
  id: string
  organizationId: string
  name: string
  hash: Buffer
  hint: string
  scopes: string[]
  expiresAt: string | null
  createdBy: string | null
}

export const insertApiKey = one(
  statement(
    'api_keys.insert',
    (_, $: Params<NewKey>) => sql<ApiKeyRow>`
      insert into ${apiKeys} (id, organization_id, name, hash, hint, scopes, expires_at, created_by)
      values (${$.id}, ${$.organizationId}, ${$.name}, ${$.hash}, ${$.hint}, ${$.scopes}, ${$.expiresAt}, ${$.createdBy})
      returning ${columns}`,
  ),
)

interface LiveKey {
  id: string
  organizationId: string
  scopes: string[]
  hash: Buffer
}

/** Of many callers at once, by hash: one indexed look-up for all. */
export const findLiveKeys = statement(
  'api_keys.live',
  (_, $: Params<{ hashes: Buffer[] }>) => sql<LiveKey>`
    select id, organization_id, scopes, hash from ${apiKeys}
    where hash = any(${$.hashes}::bytea[]) and (expires_at is null or expires_at > now())`,
)

type Key = { organizationId: string; id: string; ifMatch: number[] | null }

const present = ($: Params<Key>) =>
  and(eq(apiKeys.id, $.id), eq(apiKeys.organizationId, $.organizationId), versionMatches(apiKeys.version, $.ifMatch))

/** `changed` names what changes, so that null can be written. */
export const updateApiKey = statements(
  'api_keys.update',
  (_, $: Params<Key & { name: string; scopes: string[]; expiresAt: string | null }>, changed: readonly string[]) => {
    const set = {
      name: sql`name = ${$.name}`,
      scopes: sql`scopes = ${$.scopes}`,
      expiresAt: sql`expires_at = ${$.expiresAt}`,
    }
    const changes = changed.map(column => set[column as keyof typeof set])
    return sql<ApiKeyRow>`
      update ${apiKeys} set ${sql.join(changes, sql`, `)}, version = version + 1, updated_at = now()
      where ${present($)} returning ${columns}`
  },
)

export const deleteApiKey = one(
  statement(
    'api_keys.delete',
    (_, $: Params<Key>) => sql<ApiKeyRow>`delete from ${apiKeys} where ${present($)} returning ${columns}`,
  ),
)

const byId = { on: apiKeys.id, key: 'id', type: 'uuid' } as const

export const listApiKeys = defineList<ApiKeyRow, { organizationId: string }>({
  name: 'api_keys.list',
  columns,
  from: sql`${apiKeys}`,
  where: $ => eq(apiKeys.organizationId, $.organizationId),
  id: byId,
  sorts: { createdAt: byId },
  defaultSort: '-createdAt',
})
