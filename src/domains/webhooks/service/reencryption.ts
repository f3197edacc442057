import type { Transaction } from '../../../database/client.ts'
import type { Keyring } from '../../../lib/encryption.ts'
import { deleteExpiredSecrets, lockOutdatedSecrets, storeSecrets } from '../queries/secrets.ts'
import { openSecret, sealSecret } from './secrets.ts'

/** Rows in one transaction: each costs a statement, and its webhook is locked meanwhile. */
const BATCH_ROWS = 200

/**
 * Encrypts with the first key what another one wrote, so that a key can be removed from the list. Returns whether there
 * may be more. Throws `DecryptionError` when a key was removed too early.
 */
export async function reencryptSecrets(tx: Transaction, keyring: Keyring): Promise<boolean> {
  await deleteExpiredSecrets(tx, {})
  const rows = await lockOutdatedSecrets(tx, { prefix: keyring.prefix, limit: BATCH_ROWS })
  for (const { id, secret, previousSecret } of rows) {
    const sealed = (stored: Buffer) => sealSecret(keyring, id, openSecret(keyring, id, stored))
    await storeSecrets(tx, { id, secret: sealed(secret), previousSecret: previousSecret && sealed(previousSecret) })
  }
  return rows.length === BATCH_ROWS
}
