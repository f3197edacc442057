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

/** Returns a new secret and the columns stored of it. */
function newSecret(mode: KeyMode) {
  const key = newApiKey(mode)
  return { key, stored: { hash: sha256(key), hint: key.slice(-HINT_CHARACTERS) } }
}

/**
 * Creates a key and returns it with its secret, which is shown only this once. Throws `not_found`, also for an
 * organization that is deleted at the same moment, and `validation_failed` when `expiresAt` has passed.
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

/** Locks the key until the commit. Throws `not_found`, `precondition_failed`. */
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

/**
 * Gives the key a new secret. The current one stays valid for `overlapSeconds`; an older one becomes invalid. Throws as
 * `updateApiKey`.
 */
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

/** Throws as `updateApiKey`. */
export const deleteApiKey = (caller: Caller, path: KeyPath, ifMatch: number[] | null) =>
  caller.transaction(async tx => {
    await hold(tx, path, ifMatch)
    const key = orNotFound(await deleteApiKeyRow(tx, path))
    await record(tx, caller, apiKeyEvents.deleted, key)
  })
