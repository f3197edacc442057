import type { Database } from '../../../database/client.ts'
import { coalesce } from '../../../database/fast-path/coalesce.ts'
import type { KeyActor } from '../../../lib/access.ts'
import { sha256 } from '../../../lib/crypto.ts'
import { isApiKey } from '../../../lib/keys.ts'
import { findLiveKeys } from '../queries.ts'
import type { LastUses } from './last-uses.ts'

type Find<By> = (by: By) => Promise<KeyActor | undefined>

/** Find the actor of a key and note its use, or undefined; concurrent look-ups share one statement. */
export function keyFinder(database: Database, uses: LastUses): { by: Find<string>; byHash: Find<Buffer> } {
  const load = coalesce(database, async (hashes: readonly Buffer[]) => {
    const rows = await findLiveKeys(database, { hashes: [...hashes] })
    const byHash = new Map(rows.map(row => [row.hash.toString('hex'), row]))
    return hashes.map(hash => byHash.get(hash.toString('hex')) ?? null) as (Awaited<typeof rows>[number] | Error)[]
  })
  const byHash: Find<Buffer> = async hash => {
    const key = await load(hash)
    if (!key) return undefined
    uses.note(key.id)
    const { id, organizationId, scopes, rateLimit } = key
    return { type: 'api_key', id, organizationId, scopes, rateLimit }
  }
  return { byHash, by: async secret => (isApiKey(secret) ? byHash(sha256(secret)) : undefined) }
}
