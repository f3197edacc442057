import type { Database } from '../../database/client.ts'
import type { Caller } from '../../events/caller.ts'
import { record } from '../../events/record.ts'
import type { KeyActor } from '../../lib/access.ts'
import { coalesce } from '../../lib/coalesce.ts'
import { sha256 } from '../../lib/crypto.ts'
import { found, matched } from '../../lib/errors.ts'
import { newId } from '../../lib/ids.ts'
import { isApiKey, type KeyMode, newApiKey } from '../../lib/keys.ts'
import { apiKeyEvents } from './events.ts'
import { deleteApiKey, findLiveKeys, insertApiKey, updateApiKey } from './queries.ts'
import type { CreateApiKey, UpdateApiKey } from './schemas.ts'

const HINT_CHARACTERS = 4

/** Finds the actor of a key, or undefined; concurrent look-ups share one statement. */
export function keyFinder(database: Database): (secret: string) => Promise<KeyActor | undefined> {
  const load = coalesce(async (hashes: readonly Buffer[]) => {
    const rows = await findLiveKeys(database, { hashes: [...hashes] })
    const byHash = new Map(rows.map(row => [row.hash.toString('hex'), row]))
    return hashes.map(hash => byHash.get(hash.toString('hex')) ?? null) as (Awaited<typeof rows>[number] | Error)[]
  })
  return async secret => {
    if (!isApiKey(secret)) return undefined
    const key = await load(sha256(secret))
    return key ? { type: 'api_key', id: key.id, organizationId: key.organizationId, scopes: key.scopes } : undefined
  }
}

/** The key with its secret, which nobody sees again. */
export const createApiKey = (
  caller: Caller,
  organizationId: string,
  { name, scopes, expiresAt }: CreateApiKey,
  mode: KeyMode,
) =>
  caller.transaction(async tx => {
    const key = newApiKey(mode)
    const row = {
      id: newId(),
      organizationId,
      name,
      scopes,
      hash: sha256(key),
      hint: key.slice(-HINT_CHARACTERS),
      expiresAt: expiresAt ?? null,
      createdBy: caller.actor.id,
    }
    const created = found(await insertApiKey(tx, row))
    await record(tx, caller, apiKeyEvents.created, created)
    return { ...created, key }
  })

interface KeyPath {
  organizationId: string
  id: string
}

/** Throws `not_found`, `precondition_failed`. */
export const changeApiKey = (caller: Caller, path: KeyPath, change: UpdateApiKey, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const values = { name: '', scopes: [], expiresAt: null, ...change }
    const [row] = await updateApiKey(tx, Object.keys(change), { ...path, ...values, ifMatch })
    const key = matched(row, ifMatch)
    await record(tx, caller, apiKeyEvents.updated, key)
    return key
  })

/** Throws `not_found`, `precondition_failed`. */
export const removeApiKey = (caller: Caller, path: KeyPath, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    const key = matched(await deleteApiKey(tx, { ...path, ifMatch }), ifMatch)
    await record(tx, caller, apiKeyEvents.deleted, key)
  })
