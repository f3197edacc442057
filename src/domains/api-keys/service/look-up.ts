import type { Database } from '../../../database/client.ts'
import { coalesce } from '../../../database/fast-path/coalesce.ts'
import type { KeyActor } from '../../../lib/access.ts'
import { sha256 } from '../../../lib/crypto.ts'
import { isApiKey } from '../../../lib/keys.ts'
import { findLiveKeys } from '../queries.ts'
import type { LastUses } from './last-uses.ts'

/**
 * Returns a function that finds the actor of a key and records its use; undefined when there is none. Concurrent
 * look-ups share one statement.
 */
export function keyFinder(database: Database, uses: LastUses): (secret: string) => Promise<KeyActor | undefined> {
  const load = coalesce(database, async (hashes: readonly Buffer[]) => {
    const rows = await findLiveKeys(database, { hashes: [...hashes] })
    const byHash = new Map(rows.map(row => [row.hash.toString('hex'), row]))
    return hashes.map(hash => byHash.get(hash.toString('hex')) ?? null) as (Awaited<typeof rows>[number] | Error)[]
  })
  return async secret => {
    if (!isApiKey(secret)) return undefined
    const key = await load(sha256(secret))
    if (!key) return undefined
    uses.note(key.id)
    const { id, organizationId, scopes, rateLimit } = key
    return { type: 'api_key', id, organizationId, scopes, rateLimit }
  }
}
