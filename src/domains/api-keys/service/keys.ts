import type { Transaction } from '../../../database/client.ts'
import type { Caller } from '../../../events/caller.ts'
import { record } from '../../../events/record.ts'
import { sha256 } from '../../../lib/crypto.ts'
import { invalid, orNotFound, requireVersion } from '../../../lib/errors.ts'
import { newId } from '../../../lib/ids.ts'
import { type KeyMode, newApiKey } from '../../../lib/keys.ts'
import { lockOrganization } from '../../organizations/queries/organizations.ts'
import { apiKeyEvents } from '../events.ts'
import { deleteApiKeyRow, insertApiKey, lockApiKey, rotateApiKeyRow, updateApiKeyRow } from '../queries.ts'
import { type CreateApiKey, OVERLAP_SECONDS, type UpdateApiKey } from '../schemas.ts'

const HINT_CHARACTERS = 4

/** A new secret and what of it is stored. */
function newSecret(mode: KeyMode) {
  const key = newApiKey(mode)
  return { key, stored: { hash: sha256(key), hint: key.slice(-HINT_CHARACTERS) } }
}

/**
 * The key with its secret, which nobody sees again. None is made for an organization that goes at the same moment.
 * Throws `validation_failed` where it would have expired already.
 */
export const createApiKey = (
  caller: Caller,
  organizationId: string,
  { name, scopes, expiresAt = null, rateLimit = null }: CreateApiKey,
  mode: KeyMode,
) =>
  caller.transaction(async tx => {
    if (expiresAt !== null && Date.parse(expiresAt) <= Date.now()) throw invalid('#/expiresAt', 'has passed already')
    orNotFound(await lockOrganization(tx, { id: organizationId }))
    const { key, stored } = newSecret(mode)
    const own = { id: newId(), organizationId, createdBy: caller.actor.id }
    const created = orNotFound(await insertApiKey(tx, { ...own, ...stored, name, scopes, expiresAt, rateLimit }))
    await record(tx, caller, apiKeyEvents.created, created)
    return { ...created, key }
  })

interface KeyPath {
  organizationId: string
  id: string
}

/** Until the commit it stays what the caller takes it for. Throws `not_found`, `precondition_failed`. */
const hold = async (tx: Transaction, path: KeyPath, ifMatch: number[] | null) =>
  requireVersion(orNotFound(await lockApiKey(tx, path)), ifMatch)

/** Throws `not_found`, `precondition_failed`. */
export const updateApiKey = (caller: Caller, path: KeyPath, change: UpdateApiKey, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    await hold(tx, path, ifMatch)
    const values = { name: '', scopes: [], expiresAt: null, rateLimit: null, ...change }
    const [row] = await updateApiKeyRow(tx, Object.keys(change), { ...path, ...values })
    const key = orNotFound(row)
    await record(tx, caller, apiKeyEvents.updated, key)
    return key
  })

/** A new secret; the one before stays valid for the overlap, any older one ends here. Throws as `updateApiKey` does. */
export const rotateApiKey = (
  caller: Caller,
  path: KeyPath,
  mode: KeyMode,
  ifMatch: number[] | null,
  overlapSeconds = OVERLAP_SECONDS,
) =>
  caller.transaction(async tx => {
    await hold(tx, path, ifMatch)
    const { key, stored } = newSecret(mode)
    const rotated = orNotFound(await rotateApiKeyRow(tx, { ...path, ...stored, overlapSeconds }))
    await record(tx, caller, apiKeyEvents.rotated, rotated)
    return { ...rotated, key }
  })

/** Throws as `updateApiKey` does. */
export const deleteApiKey = (caller: Caller, path: KeyPath, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    await hold(tx, path, ifMatch)
    const key = orNotFound(await deleteApiKeyRow(tx, path))
    await record(tx, caller, apiKeyEvents.deleted, key)
  })
